-- Rights of the access roles on the control plane. A stack without these roles leaves this file out.
--
--   studio_app       reads and writes rows under row-level security
--   studio_readonly  reads
--   studio_system    reads and writes the rows of all tenants, for background work; sees no secret, and neither
--                    sees nor writes a hash or a token
--   studio_decrypt   reads the secrets that open another system
--
-- Secrets that open another system (projects.database_password, credentials.service_role_key and
-- jwt_secret) are written by studio_app and read by studio_decrypt alone. Hashes and tokens that the
-- application must compare at sign-in are readable by studio_app, never by studio_readonly.
-- Where a table holds such a column the grant lists the others: a new column is shut until it is listed.

grant usage on schema platform to studio_app, studio_readonly, studio_system, studio_decrypt;

-- Tables without secrets.
grant select, insert, delete on
  platform.organizations,
  platform.organization_members,
  platform.organization_feature_flags,
  platform.project_members,
  platform.project_addons,
  platform.project_metrics,
  platform.subscriptions,
  platform.invoices,
  platform.payment_methods,
  platform.tax_ids,
  platform.customer_profiles,
  platform.credits,
  platform.disk_config,
  platform.compute_config,
  platform.addons,
  platform.usage_metrics,
  platform.feature_flags
to studio_app, studio_system;

grant update on
  platform.organizations,
  platform.organization_members,
  platform.organization_feature_flags,
  platform.project_members,
  platform.project_addons,
  platform.project_metrics,
  platform.subscriptions,
  platform.invoices,
  platform.payment_methods,
  platform.tax_ids,
  platform.customer_profiles,
  platform.credits,
  platform.disk_config,
  platform.compute_config,
  platform.addons,
  platform.usage_metrics,
  platform.feature_flags
to studio_system;

grant select on
  platform.organizations,
  platform.organization_members,
  platform.organization_feature_flags,
  platform.project_members,
  platform.project_addons,
  platform.project_metrics,
  platform.subscriptions,
  platform.invoices,
  platform.payment_methods,
  platform.tax_ids,
  platform.customer_profiles,
  platform.credits,
  platform.disk_config,
  platform.compute_config,
  platform.addons,
  platform.usage_metrics,
  platform.feature_flags,
  platform.billing_plans,
  platform.audit_logs
to studio_readonly;

-- The plan catalogue is desired state, and the audit trail only grows.
grant select on platform.billing_plans to studio_app, studio_system;
grant select, insert on platform.audit_logs to studio_app, studio_system;

-- Hashes and tokens: compared by the application, hidden from readers.
grant select, insert, delete on
  platform.users,
  platform.user_sessions,
  platform.organization_invitations,
  platform.api_keys
to studio_app;

-- The system writes no hash and no token: it would sign in as any user.
grant delete on
  platform.users,
  platform.user_sessions,
  platform.organization_invitations,
  platform.api_keys
to studio_system;

grant insert (
  id, email, username, first_name, last_name, avatar_url, phone, mfa_enabled, email_confirmed_at, banned_until,
  deleted_at, metadata, last_sign_in_at, created_at, updated_at
), update (
  id, email, username, first_name, last_name, avatar_url, phone, mfa_enabled, email_confirmed_at, banned_until,
  deleted_at, metadata, last_sign_in_at, created_at, updated_at
) on platform.users to studio_system;

grant update (
  id, user_id, ip_address, user_agent, expires_at, last_activity_at, created_at
) on platform.user_sessions to studio_system;

grant update (
  id, organization_id, invited_email, invited_by, role, expires_at, accepted_at, created_at
) on platform.organization_invitations to studio_system;

grant update (
  id, organization_id, user_id, name, key_prefix, scopes, last_used_at, expires_at, revoked_at, created_at
) on platform.api_keys to studio_system;

grant select (
  id, email, username, first_name, last_name, avatar_url, phone, mfa_enabled, email_confirmed_at, banned_until,
  deleted_at, metadata, last_sign_in_at, created_at, updated_at
) on platform.users to studio_readonly, studio_system;

grant select (
  id, user_id, ip_address, user_agent, expires_at, last_activity_at, created_at
) on platform.user_sessions to studio_readonly, studio_system;

grant select (
  id, organization_id, invited_email, invited_by, role, expires_at, accepted_at, created_at
) on platform.organization_invitations to studio_readonly, studio_system;

grant select (
  id, organization_id, user_id, name, key_prefix, scopes, last_used_at, expires_at, revoked_at, created_at
) on platform.api_keys to studio_readonly, studio_system;

-- Secrets that open another system.
grant insert, delete on platform.projects, platform.credentials to studio_app, studio_system;
grant update on platform.projects, platform.credentials to studio_system;

grant select (
  id, organization_id, name, slug, ref, database_host, database_port, database_name, database_user, postgres_meta_url,
  supabase_url, status, created_at, updated_at, instance_size, disk_size_gb, disk_io_budget
) on platform.projects to studio_app, studio_readonly, studio_system;

grant select (
  id, project_id, anon_key, created_at, updated_at
) on platform.credentials to studio_app, studio_readonly, studio_system;

grant select on platform.projects, platform.credentials, platform.projects_with_credentials to studio_decrypt;
grant execute on function platform.get_project_by_ref(text) to studio_decrypt;
grant execute on function platform.get_credentials_by_project_ref(text) to studio_decrypt;

-- The application changes no organization_id, project_id or user_id: a row that moves would leave its tenant by a
-- right to update it alone. It is deleted there and added here, which asks for both rights, or studio_system moves it.
grant update on platform.organizations, platform.users, platform.feature_flags to studio_app;
grant update (
  id, role, invited_at, invited_by, joined_at, created_at, updated_at
) on platform.organization_members to studio_app;
grant update (
  id, invited_email, invited_by, role, token, expires_at, accepted_at, created_at
) on platform.organization_invitations to studio_app;
grant update (id, flag_id, enabled, created_at, updated_at) on platform.organization_feature_flags to studio_app;
grant update (
  id, name, key_prefix, key_hash, scopes, last_used_at, expires_at, revoked_at, created_at
) on platform.api_keys to studio_app;
grant update (
  id, name, slug, ref, database_host, database_port, database_name, database_user, database_password,
  postgres_meta_url, supabase_url, status, created_at, updated_at, instance_size, disk_size_gb, disk_io_budget
) on platform.projects to studio_app;
grant update (id, role, added_by, created_at, updated_at) on platform.project_members to studio_app;
grant update (
  id, addon_id, addon_variant, quantity, price_per_unit, status, activated_at, deactivated_at, created_at,
  updated_at
) on platform.project_addons to studio_app;
grant update (
  id, "timestamp", cpu_usage, memory_usage, disk_io_budget, disk_usage_gb, network_in_bytes, network_out_bytes,
  active_connections, query_count, created_at
) on platform.project_metrics to studio_app;
grant update (id, anon_key, service_role_key, jwt_secret, created_at, updated_at) on platform.credentials to studio_app;
grant update (
  id, plan_id, plan_name, status, billing_cycle_anchor, current_period_start, current_period_end, next_invoice_at,
  usage_billing_enabled, spend_cap_enabled, spend_cap_amount, customer_balance, billing_via_partner,
  billing_partner, cached_egress_enabled, stripe_customer_id, stripe_subscription_id, created_at, updated_at
) on platform.subscriptions to studio_app;
grant update (
  id, stripe_invoice_id, invoice_number, amount_due, amount_paid, amount_remaining, currency, status,
  period_start, period_end, due_date, paid_at, invoice_pdf, hosted_invoice_url, created_at, updated_at
) on platform.invoices to studio_app;
grant update (
  id, stripe_payment_method_id, type, is_default, card_brand, card_last4, card_exp_month, card_exp_year,
  billing_details, created_at, updated_at
) on platform.payment_methods to studio_app;
grant update (id, type, value, country, status, created_at, updated_at) on platform.tax_ids to studio_app;
grant update (
  id, company_name, address_line1, address_line2, city, state, postal_code, country, tax_id, created_at,
  updated_at
) on platform.customer_profiles to studio_app;
grant update (
  id, amount, remaining, description, status, expires_at, created_at, updated_at
) on platform.credits to studio_app;
grant update (
  id, size_gb, io_budget, autoscale_enabled, autoscale_limit_gb, status, created_at, updated_at
) on platform.disk_config to studio_app;
grant update (
  id, instance_size, cpu_cores, memory_gb, architecture, is_dedicated, status, created_at, updated_at
) on platform.compute_config to studio_app;
grant update (
  id, addon_type, addon_variant, quantity, price_per_unit, metadata, status, activated_at, deactivated_at,
  created_at, updated_at
) on platform.addons to studio_app;
grant update (
  id, metric_type, metric_value, metric_unit, period_start, period_end, cost, metadata, created_at
) on platform.usage_metrics to studio_app;
grant update (
  id, token, refresh_token, ip_address, user_agent, expires_at, last_activity_at, created_at
) on platform.user_sessions to studio_app;

-- Views and functions. The two clean-up functions stay with the owner.
grant select on
  platform.organizations_with_stats,
  platform.subscriptions_with_orgs,
  platform.organization_billing_overview,
  platform.project_resources
to studio_app, studio_readonly, studio_system;

grant execute on function
  platform.generate_slug(text),
  platform.get_organization_by_slug(text),
  platform.get_active_subscription(uuid),
  platform.calculate_usage_cost(uuid, timestamptz, timestamptz),
  platform.get_available_credits(uuid),
  platform.is_free_tier(uuid),
  platform.is_organization_owner(uuid, uuid),
  platform.has_project_access(uuid, uuid),
  platform.get_active_feature_flags(uuid)
to studio_app, studio_readonly, studio_system;

grant execute on function platform.log_audit_event(uuid, text, text, text, jsonb, inet, text)
to studio_app, studio_system;

-- The request context: what policies ask of it, and what the application calls. Signing is the owner's.
grant usage on schema platform_access to studio_app, studio_readonly;

grant execute on function
  platform_access.challenge(),
  platform_access.verified_context(),
  platform_access.user_id(),
  platform_access.organization_id(),
  platform_access.organizations(text),
  platform_access.shared_projects(text)
to studio_app, studio_readonly;

grant execute on function
  platform_access.find_user(text),
  platform_access.sign_up(text, text, text, text, text),
  platform_access.start_session(uuid, text, timestamptz, text, inet, text),
  platform_access.find_session(text),
  platform_access.find_api_key(text),
  platform_access.create_organization(text, text, text),
  platform_access.accept_invitation(text)
to studio_app;

grant select on platform_access.member_profiles to studio_app, studio_readonly;
