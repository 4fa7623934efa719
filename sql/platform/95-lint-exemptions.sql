-- What the lints of the live catalog find here and is meant so, each with its reason: `npm run lint:db`.

-- Secrets that the applications of the studio read as they are; privileges on columns decide who may.
comment on column platform.credentials.service_role_key is
  'lint-ignore PGL208: handed on to the project''s services; for studio_decrypt alone';
comment on column platform.credentials.jwt_secret is
  'lint-ignore PGL208: handed on to the project''s services; for studio_decrypt alone';
comment on column platform.projects.database_password is
  'lint-ignore PGL208: the studio connects with it; for studio_decrypt alone';
comment on column platform.organization_invitations.token is
  'lint-ignore PGL208: opens one invitation, once, until it expires';
comment on column platform.user_sessions.token is 'lint-ignore PGL208: holds a hash';
comment on column platform.user_sessions.refresh_token is 'lint-ignore PGL208: what sign-in compares; hidden from studio_readonly';

-- Indexes that the specification names beside a key that finds the same.
comment on index platform.idx_compute_config_project is 'lint-ignore PGL302: named by the specification';
comment on index platform.idx_credentials_project_id is 'lint-ignore PGL302: named by the specification';
comment on index platform.idx_customer_profiles_org is 'lint-ignore PGL302: named by the specification';
comment on index platform.idx_disk_config_project is 'lint-ignore PGL302: named by the specification';
comment on index platform.idx_feature_flags_key is 'lint-ignore PGL302: named by the specification';
comment on index platform.idx_invoices_stripe is 'lint-ignore PGL302: named by the specification';
comment on index platform.idx_organizations_slug is 'lint-ignore PGL302: named by the specification';
comment on index platform.idx_projects_ref is 'lint-ignore PGL302: named by the specification';
comment on index platform.idx_subscriptions_org is 'lint-ignore PGL302: named by the specification';
comment on index platform.idx_org_feature_flags_org is 'lint-ignore PGL303: named by the specification';
comment on index platform.idx_organization_members_org is 'lint-ignore PGL303: named by the specification';
comment on index platform.idx_organization_members_user is 'lint-ignore PGL303: named by the specification';
comment on index platform.idx_project_addons_project is 'lint-ignore PGL303: named by the specification';
comment on index platform.idx_project_members_project is 'lint-ignore PGL303: named by the specification';
comment on index platform.idx_projects_organization_id is 'lint-ignore PGL303: named by the specification';
comment on index platform.idx_tax_ids_org is 'lint-ignore PGL303: named by the specification';

-- Foreign keys that are followed only when a user or an organization is deleted for good, which is rare.
comment on constraint api_keys_organization_id_fkey on platform.api_keys is
  'lint-ignore PGL301: an index has the keys that are in use; organizations are rarely deleted';
comment on constraint api_keys_user_id_fkey on platform.api_keys is
  'lint-ignore PGL301: an index has the keys that are in use; users are marked as deleted';
comment on constraint organization_invitations_invited_by_fkey on platform.organization_invitations is
  'lint-ignore PGL301: users are marked as deleted, rarely deleted';
comment on constraint organization_members_invited_by_fkey on platform.organization_members is
  'lint-ignore PGL301: users are marked as deleted, rarely deleted';
comment on constraint project_members_added_by_fkey on platform.project_members is
  'lint-ignore PGL301: users are marked as deleted, rarely deleted';
