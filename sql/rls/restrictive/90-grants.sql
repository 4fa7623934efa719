-- Who may run the tests.

grant execute on function platform.test_rls_enforcement() to studio_app, studio_readonly;
