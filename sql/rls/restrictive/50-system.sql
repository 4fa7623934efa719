-- Background work reads and writes the rows of all tenants, as a role of its own that no application signs in
-- with. What it may do is decided by its grants.

create policy system_all_organizations on platform.organizations
for all to studio_system
using (true)
with check (true);

create policy system_all_organization_members on platform.organization_members
for all to studio_system
using (true)
with check (true);

create policy system_all_organization_invitations on platform.organization_invitations
for all to studio_system
using (true)
with check (true);

create policy system_all_organization_feature_flags on platform.organization_feature_flags
for all to studio_system
using (true)
with check (true);

create policy system_all_api_keys on platform.api_keys
for all to studio_system
using (true)
with check (true);

create policy system_all_projects on platform.projects
for all to studio_system
using (true)
with check (true);

create policy system_all_project_members on platform.project_members
for all to studio_system
using (true)
with check (true);

create policy system_all_project_addons on platform.project_addons
for all to studio_system
using (true)
with check (true);

create policy system_all_project_metrics on platform.project_metrics
for all to studio_system
using (true)
with check (true);

create policy system_all_credentials on platform.credentials
for all to studio_system
using (true)
with check (true);

create policy system_all_databases on platform.databases
for all to studio_system
using (true)
with check (true);

create policy system_all_disk_config on platform.disk_config
for all to studio_system
using (true)
with check (true);

create policy system_all_compute_config on platform.compute_config
for all to studio_system
using (true)
with check (true);

create policy system_all_addons on platform.addons
for all to studio_system
using (true)
with check (true);

create policy system_all_subscriptions on platform.subscriptions
for all to studio_system
using (true)
with check (true);

create policy system_all_invoices on platform.invoices
for all to studio_system
using (true)
with check (true);

create policy system_all_payment_methods on platform.payment_methods
for all to studio_system
using (true)
with check (true);

create policy system_all_tax_ids on platform.tax_ids
for all to studio_system
using (true)
with check (true);

create policy system_all_customer_profiles on platform.customer_profiles
for all to studio_system
using (true)
with check (true);

create policy system_all_credits on platform.credits
for all to studio_system
using (true)
with check (true);

create policy system_all_usage_metrics on platform.usage_metrics
for all to studio_system
using (true)
with check (true);

create policy system_all_users on platform.users
for all to studio_system
using (true)
with check (true);

create policy system_all_user_sessions on platform.user_sessions
for all to studio_system
using (true)
with check (true);

create policy system_all_audit_logs on platform.audit_logs
for all to studio_system
using (true)
with check (true);

create policy system_all_billing_plans on platform.billing_plans
for all to studio_system
using (true)
with check (true);

create policy system_all_feature_flags on platform.feature_flags
for all to studio_system
using (true)
with check (true);

-- Those who decrypt see all that they decrypt, unless they are the application as well: it must not get past
-- its tenants by a membership.
create policy decrypt_projects_select on platform.projects
for select to studio_decrypt
using (
  (select not (pg_has_role('studio_app', 'member') or pg_has_role('studio_readonly', 'member')))
);

create policy decrypt_credentials_select on platform.credentials
for select to studio_decrypt
using (
  (select not (pg_has_role('studio_app', 'member') or pg_has_role('studio_readonly', 'member')))
);

create policy decrypt_databases_select on platform.databases
for select to studio_decrypt
using (
  (select not (pg_has_role('studio_app', 'member') or pg_has_role('studio_readonly', 'member')))
);
