-- The functions of the audit trail. Those with their owner's rights pin search_path, and name who may call them in
-- 90-grants.sql.

-- Who acts: the signed-in user, else the setting of a backend. What is no profile, or no uuid at all, is nobody.
create function public.current_actor() returns uuid
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  actor text := coalesce(auth.uid()::text, current_setting('app.current_user_id', true));
begin
  if actor is null or actor !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    return null;
  end if;
  return (select p.id from public.profiles p where p.id = actor::uuid);
end
$$;

-- Whether the signed-in user has one of these types.
create function public.has_profile_type(variadic p_types text[]) returns boolean
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from public.profiles p
     where p.id = auth.uid() and p.type::text = any (p_types) and p."deletedAt" is null
  )
$$;

create function public.audit_profile_changes() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  action text := 'UPDATE';
  actor uuid := public.current_actor();
  before jsonb := '{}';
  after jsonb;
  headers jsonb;
begin
  if tg_op = 'INSERT' then
    action := 'CREATE';
    -- Nobody is signed in when a user signs up.
    actor := coalesce(actor, new.id);
    after := jsonb_build_object('type', new.type, 'status', new.status);
  else
    select coalesce(jsonb_object_agg(o.key, o.value), '{}'), coalesce(jsonb_object_agg(o.key, n.value), '{}')
      into before, after
      from jsonb_each(to_jsonb(old)) o join jsonb_each(to_jsonb(new)) n on n.key = o.key
     where n.value is distinct from o.value;
    if after = '{}' then
      return null;
    end if;
    if old."deletedAt" is null and new."deletedAt" is not null then
      action := 'DELETE';
      -- A signed-in user cannot name another one; a backend without a user may.
      actor := coalesce(actor, new."deletedBy");
    elsif old."deletedAt" is not null and new."deletedAt" is null then
      action := 'RESTORE';
    end if;
  end if;

  begin
    headers := nullif(current_setting('request.headers', true), '')::jsonb;
  exception when invalid_text_representation or untranslatable_character then
    headers := null;
  end;

  insert into public.user_audits ("userId", action, "performedBy", changes, reason, metadata)
  values (
    new.id, action, actor,
    case tg_op when 'INSERT' then jsonb_build_object('new', after) else jsonb_build_object('old', before, 'new', after) end,
    case action when 'DELETE' then new."deletionReason" end,
    jsonb_build_object('ip_address', headers ->> 'x-real-ip', 'user_agent', headers ->> 'user-agent', 'timestamp', now())
  );
  return null;
end
$$;

comment on function public.audit_profile_changes() is
  'Writes what changed of a profile. A profile that is removed for good takes its audit rows with it and leaves none';

create trigger trg_audit_profile_changes
after insert or update on public.profiles
for each row execute function public.audit_profile_changes();

-- Deletions from before the trigger, one row each; a second call adds nothing.
create function public.backfill_profile_audits() returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  added integer;
begin
  insert into public.user_audits ("userId", action, changes, reason, metadata)
  select p.id, 'DELETE', jsonb_build_object('old', jsonb_build_object('deletedAt', p."deletedAt")),
         coalesce(p."deletionReason", 'Historical deletion'), jsonb_build_object('backfilled', true, 'timestamp', now())
    from public.profiles p
   where p."deletedAt" is not null
     and not exists (
       select from public.user_audits a where a."userId" = p.id and a.action in ('DELETE', 'SOFT_DELETE')
     );
  get diagnostics added = row_count;
  return added;
end
$$;

create function public.log_upload_error(
  p_correlation_id text,
  p_error_type text,
  p_message text,
  p_user_message text,
  p_details text default null,
  p_user_id uuid default null,
  p_retryable boolean default false
) returns uuid
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
  insert into public.upload_errors
    ("correlationId", "errorType", message, "userMessage", details, "userId", retryable)
  values (
    p_correlation_id, p_error_type, p_message, p_user_message, p_details, coalesce(auth.uid(), p_user_id), p_retryable
  )
  returning id
$$;

comment on function public.log_upload_error(text, text, text, text, text, uuid, boolean) is
  'Notes a failed upload and gives its id. A signed-in user notes it for nobody else';

-- With the caller's rights: the policies say who may.
create function public.resolve_upload_error(p_error_id uuid, p_resolved_by uuid default null) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  resolved_rows integer;
begin
  update public.upload_errors
     set resolved = true, "resolvedAt" = now(), "resolvedBy" = coalesce(public.current_actor(), p_resolved_by)
   where id = p_error_id and not resolved;
  get diagnostics resolved_rows = row_count;
  return resolved_rows = 1;
end
$$;

create function public.cleanup_old_upload_errors(p_days_to_keep integer default 90) returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  removed integer;
begin
  if p_days_to_keep is null or p_days_to_keep < 1 then
    raise exception using
      errcode = 'invalid_parameter_value',
      message = format('found %s days to keep, expected 1 or more', coalesce(p_days_to_keep::text, 'no number of'));
  end if;
  delete from public.upload_errors
   where resolved and "timestamp" < now() - make_interval(days => p_days_to_keep);
  get diagnostics removed = row_count;
  return removed;
end
$$;
