-- What happened to a profile. Rows are written by the trigger alone.

create table public.user_audits (
  id uuid not null default gen_random_uuid(),
  "userId" uuid not null,
  action text not null,
  "performedBy" uuid,
  changes jsonb,
  reason text,
  metadata jsonb,
  "createdAt" timestamptz not null default now(),
  constraint user_audits_pkey primary key (id),
  constraint "user_audits_userId_fkey"
    foreign key ("userId") references public.profiles (id) on update cascade on delete cascade,
  constraint "user_audits_performedBy_fkey"
    foreign key ("performedBy") references public.profiles (id) on update cascade on delete set null,
  constraint user_audits_action_check check (
    action in (
      'CREATE', 'UPDATE', 'DELETE', 'RESTORE', 'HARD_DELETE',
      'SOFT_DELETE', 'PERMANENT_DELETE', 'ROLE_CHANGE', 'STATUS_CHANGE', 'PASSWORD_RESET', 'FILE_UPLOAD', 'FILE_DELETE'
    )
  )
);

comment on table public.user_audits is 'Audit trail of profiles; goes with its profile';
comment on column public.user_audits.action is
  'CREATE, UPDATE, DELETE and RESTORE are written by the trigger; the others by the application';
comment on column public.user_audits."performedBy" is 'Who did it; null for the system or an unknown actor';
comment on column public.user_audits.changes is 'The changed columns only: {"old": {…}, "new": {…}}';
comment on column public.user_audits.metadata is 'Address and client of the request, and its time';

create index "user_audits_userId_idx" on public.user_audits ("userId");
create index "user_audits_performedBy_idx" on public.user_audits ("performedBy");
create index user_audits_action_idx on public.user_audits (action);
create index "user_audits_createdAt_idx" on public.user_audits ("createdAt" desc);
create index user_audits_changes_idx on public.user_audits using gin (changes);
create index user_audits_metadata_idx on public.user_audits using gin (metadata);
