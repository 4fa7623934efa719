-- What the lints of the live catalog find in these policies and is meant so: `npm run lint:db`.

comment on policy system_all_addons on platform.addons is 'lint-ignore PGL107: for studio_system alone';
comment on policy system_all_api_keys on platform.api_keys is 'lint-ignore PGL107: for studio_system alone';
comment on policy system_all_audit_logs on platform.audit_logs is 'lint-ignore PGL107: for studio_system alone';
comment on policy system_all_billing_plans on platform.billing_plans is 'lint-ignore PGL107: for studio_system alone';
comment on policy system_all_compute_config on platform.compute_config is 'lint-ignore PGL107: for studio_system alone';
comment on policy system_all_credentials on platform.credentials is 'lint-ignore PGL107: for studio_system alone';
comment on policy system_all_credits on platform.credits is 'lint-ignore PGL107: for studio_system alone';
comment on policy system_all_customer_profiles on platform.customer_profiles is
  'lint-ignore PGL107: for studio_system alone';
comment on policy system_all_databases on platform.databases is 'lint-ignore PGL107: for studio_system alone';
comment on policy system_all_disk_config on platform.disk_config is 'lint-ignore PGL107: for studio_system alone';
comment on policy system_all_feature_flags on platform.feature_flags is 'lint-ignore PGL107: for studio_system alone';
comment on policy system_all_invoices on platform.invoices is 'lint-ignore PGL107: for studio_system alone';
comment on policy system_all_organization_feature_flags on platform.organization_feature_flags is
  'lint-ignore PGL107: for studio_system alone';
comment on policy system_all_organization_invitations on platform.organization_invitations is
  'lint-ignore PGL107: for studio_system alone';
comment on policy system_all_organization_members on platform.organization_members is
  'lint-ignore PGL107: for studio_system alone';
comment on policy system_all_organizations on platform.organizations is 'lint-ignore PGL107: for studio_system alone';
comment on policy system_all_payment_methods on platform.payment_methods is
  'lint-ignore PGL107: for studio_system alone';
comment on policy system_all_project_addons on platform.project_addons is 'lint-ignore PGL107: for studio_system alone';
comment on policy system_all_project_members on platform.project_members is
  'lint-ignore PGL107: for studio_system alone';
comment on policy system_all_project_metrics on platform.project_metrics is
  'lint-ignore PGL107: for studio_system alone';
comment on policy system_all_projects on platform.projects is 'lint-ignore PGL107: for studio_system alone';
comment on policy system_all_subscriptions on platform.subscriptions is 'lint-ignore PGL107: for studio_system alone';
comment on policy system_all_tax_ids on platform.tax_ids is 'lint-ignore PGL107: for studio_system alone';
comment on policy system_all_usage_metrics on platform.usage_metrics is 'lint-ignore PGL107: for studio_system alone';
comment on policy system_all_user_sessions on platform.user_sessions is 'lint-ignore PGL107: for studio_system alone';
comment on policy system_all_users on platform.users is 'lint-ignore PGL107: for studio_system alone';
