insert into auth.schema_migrations (version) select '2025' || lpad(n::text, 10, '0') from generate_series(1, 50) n;
insert into auth.users (id, email, encrypted_password, phone, confirmation_token, raw_user_meta_data, email_confirmed_at, is_sso_user)
  select md5('u' || n)::uuid, 'User' || n || '@Example.org', '$2a$' || n, '+49' || n, nullif('', ''), jsonb_build_object('n', n), timestamptz '2026-01-01 00:00Z' + n * interval '1 hour', n % 9 = 0
    from generate_series(1, 80) n;
insert into auth.identities (provider_id, user_id, identity_data, provider) select 'p' || n, md5('u' || n)::uuid, jsonb_build_object('email', 'U' || n || '@x.org'), 'email' from generate_series(1, 80) n;
insert into auth.sessions (id, user_id, aal, ip) select md5('s' || n)::uuid, md5('u' || (1 + n % 80))::uuid, 'aal1', '10.0.0.1' from generate_series(1, 90) n;
insert into auth.refresh_tokens (token, user_id, session_id, revoked) select 'r' || n, md5('u' || (1 + n % 80))::uuid::text, md5('s' || (1 + n % 90))::uuid, n % 3 = 0 from generate_series(1, 120) n;
insert into auth.mfa_factors (id, user_id, friendly_name, factor_type, status, created_at) select md5('f' || n)::uuid, md5('u' || n)::uuid, 'phone ' || n, 'totp', 'verified', now() from generate_series(1, 30) n;
insert into auth.mfa_challenges select md5('c' || n)::uuid, md5('f' || (1 + n % 30))::uuid, null, '10.0.0.2', now() from generate_series(1, 40) n;
insert into auth.one_time_tokens (user_id, token_type, token_hash, relates_to) select md5('u' || n)::uuid, 'recovery_token', 'h' || n, 'u' || n from generate_series(1, 25) n;
insert into auth.audit_log_entries (id, payload) select md5('a' || n)::uuid, json_build_object('action', 'login') from generate_series(1, 60) n;
