-- Who may run the tests. A stack without these roles leaves this file out.

grant execute on function platform.test_rls_policies() to studio_app, studio_readonly;
