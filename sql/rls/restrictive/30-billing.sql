-- Billing and usage. What the payment provider says is written by the system.

create policy subscription_billing_select on platform.subscriptions
for select to studio_app, studio_readonly
using (organization_id = any ((select platform_access.organizations('billing_admin'))::uuid[]));

create policy subscription_billing_update on platform.subscriptions
for update to studio_app
using (organization_id = any ((select platform_access.organizations('billing_admin'))::uuid[]))
with check (organization_id = any ((select platform_access.organizations('billing_admin'))::uuid[]));

create policy invoice_billing_select on platform.invoices
for select to studio_app, studio_readonly
using (organization_id = any ((select platform_access.organizations('billing_admin'))::uuid[]));

create policy credits_billing_select on platform.credits
for select to studio_app, studio_readonly
using (organization_id = any ((select platform_access.organizations('billing_admin'))::uuid[]));

create policy payment_method_billing_select on platform.payment_methods
for select to studio_app, studio_readonly
using (organization_id = any ((select platform_access.organizations('billing_admin'))::uuid[]));

create policy payment_method_billing_insert on platform.payment_methods
for insert to studio_app
with check (organization_id = any ((select platform_access.organizations('billing_admin'))::uuid[]));

create policy payment_method_billing_update on platform.payment_methods
for update to studio_app
using (organization_id = any ((select platform_access.organizations('billing_admin'))::uuid[]))
with check (organization_id = any ((select platform_access.organizations('billing_admin'))::uuid[]));

create policy payment_method_billing_delete on platform.payment_methods
for delete to studio_app
using (organization_id = any ((select platform_access.organizations('billing_admin'))::uuid[]));

create policy tax_id_billing_select on platform.tax_ids
for select to studio_app, studio_readonly
using (organization_id = any ((select platform_access.organizations('billing_admin'))::uuid[]));

create policy tax_id_billing_insert on platform.tax_ids
for insert to studio_app
with check (organization_id = any ((select platform_access.organizations('billing_admin'))::uuid[]));

create policy tax_id_billing_update on platform.tax_ids
for update to studio_app
using (organization_id = any ((select platform_access.organizations('billing_admin'))::uuid[]))
with check (organization_id = any ((select platform_access.organizations('billing_admin'))::uuid[]));

create policy tax_id_billing_delete on platform.tax_ids
for delete to studio_app
using (organization_id = any ((select platform_access.organizations('billing_admin'))::uuid[]));

create policy customer_profile_billing_select on platform.customer_profiles
for select to studio_app, studio_readonly
using (organization_id = any ((select platform_access.organizations('billing_admin'))::uuid[]));

create policy customer_profile_billing_insert on platform.customer_profiles
for insert to studio_app
with check (organization_id = any ((select platform_access.organizations('billing_admin'))::uuid[]));

create policy customer_profile_billing_update on platform.customer_profiles
for update to studio_app
using (organization_id = any ((select platform_access.organizations('billing_admin'))::uuid[]))
with check (organization_id = any ((select platform_access.organizations('billing_admin'))::uuid[]));

create policy customer_profile_billing_delete on platform.customer_profiles
for delete to studio_app
using (organization_id = any ((select platform_access.organizations('billing_admin'))::uuid[]));

create policy usage_metrics_org_select on platform.usage_metrics
for select to studio_app, studio_readonly
using (
  organization_id = any ((select platform_access.organizations())::uuid[])
  or (
    organization_id is null
    and exists (select from platform.projects as p where p.id = usage_metrics.project_id)
  )
);
