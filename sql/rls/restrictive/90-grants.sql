-- Who may run the tests.

grant execute on function platform.test_rls_enforcement() to studio_app, studio_readonly;

-- Policies read it with the rights of the caller.
grant select on platform_access.administered_projects to studio_app, studio_readonly;
