-- Who may run the report. A stack without these roles leaves this file out.

grant execute on function platform.verify_rls_enabled() to studio_app, studio_readonly;
