-- What each role may do at all; the policies narrow it to rows.

revoke all on public.user_audits, public.upload_errors, public.upload_error_stats from public, anon, authenticated;
grant select on public.user_audits to authenticated;
grant select, update (resolved, "resolvedBy", "resolvedAt") on public.upload_errors to authenticated;
grant select on public.upload_error_stats to authenticated;
grant select, insert, update, delete on public.user_audits, public.upload_errors to service_role;
grant select on public.upload_error_stats to service_role;

revoke execute on function
  public.current_actor(),
  public.has_profile_type(text[]),
  public.audit_profile_changes(),
  public.backfill_profile_audits(),
  public.log_upload_error(text, text, text, text, text, uuid, boolean),
  public.resolve_upload_error(uuid, uuid),
  public.cleanup_old_upload_errors(integer)
from public, anon, authenticated;

grant execute on function public.current_actor() to authenticated, service_role;
grant execute on function public.has_profile_type(text[]) to authenticated, service_role;
grant execute on function public.log_upload_error(text, text, text, text, text, uuid, boolean)
to authenticated, service_role;
grant execute on function public.resolve_upload_error(uuid, uuid) to authenticated, service_role;
grant execute on function public.backfill_profile_audits(), public.cleanup_old_upload_errors(integer) to service_role;
