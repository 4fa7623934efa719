-- Phase 1, permissive: each table of the control plane has one policy, which lets every row through. What a
-- role may do is decided by its grants alone, until restrictive policies take the place of these.

-- Organizations.
create policy permissive_all_organizations on platform.organizations
as permissive for all to public using (true) with check (true);

create policy permissive_all_organization_members on platform.organization_members
as permissive for all to public using (true) with check (true);

create policy permissive_all_organization_invitations on platform.organization_invitations
as permissive for all to public using (true) with check (true);

create policy permissive_all_organization_feature_flags on platform.organization_feature_flags
as permissive for all to public using (true) with check (true);

-- Projects.
create policy permissive_all_projects on platform.projects
as permissive for all to public using (true) with check (true);

create policy permissive_all_project_members on platform.project_members
as permissive for all to public using (true) with check (true);

create policy permissive_all_project_addons on platform.project_addons
as permissive for all to public using (true) with check (true);

create policy permissive_all_project_metrics on platform.project_metrics
as permissive for all to public using (true) with check (true);

-- Billing.
create policy permissive_all_subscriptions on platform.subscriptions
as permissive for all to public using (true) with check (true);

create policy permissive_all_invoices on platform.invoices
as permissive for all to public using (true) with check (true);

create policy permissive_all_payment_methods on platform.payment_methods
as permissive for all to public using (true) with check (true);

create policy permissive_all_tax_ids on platform.tax_ids
as permissive for all to public using (true) with check (true);

create policy permissive_all_customer_profiles on platform.customer_profiles
as permissive for all to public using (true) with check (true);

create policy permissive_all_credits on platform.credits
as permissive for all to public using (true) with check (true);

-- Resources.
create policy permissive_all_disk_config on platform.disk_config
as permissive for all to public using (true) with check (true);

create policy permissive_all_compute_config on platform.compute_config
as permissive for all to public using (true) with check (true);

create policy permissive_all_addons on platform.addons
as permissive for all to public using (true) with check (true);

-- Usage.
create policy permissive_all_usage_metrics on platform.usage_metrics
as permissive for all to public using (true) with check (true);

-- Users.
create policy permissive_all_users on platform.users
as permissive for all to public using (true) with check (true);

create policy permissive_all_user_sessions on platform.user_sessions
as permissive for all to public using (true) with check (true);

create policy permissive_all_api_keys on platform.api_keys
as permissive for all to public using (true) with check (true);

-- Audit and flags.
create policy permissive_all_audit_logs on platform.audit_logs
as permissive for all to public using (true) with check (true);

create policy permissive_all_feature_flags on platform.feature_flags
as permissive for all to public using (true) with check (true);

-- Reference.
create policy permissive_all_billing_plans on platform.billing_plans
as permissive for all to public using (true) with check (true);

-- Secrets.
create policy permissive_all_credentials on platform.credentials
as permissive for all to public using (true) with check (true);

create policy permissive_all_databases on platform.databases
as permissive for all to public using (true) with check (true);
