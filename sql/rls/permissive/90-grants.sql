-- Who may run the two reports. A stack without these roles leaves this file out.

grant execute on function platform.verify_rls_enabled(), platform.test_rls_policies() to studio_app, studio_readonly;
