-- Uploads that failed, and whether somebody has seen to it.

create table public.upload_errors (
  id uuid not null default gen_random_uuid(),
  "correlationId" text not null,
  "errorType" text not null,
  message text not null,
  "userMessage" text not null,
  details text,
  "userId" uuid,
  "timestamp" timestamptz not null default now(),
  retryable boolean not null default false,
  resolved boolean not null default false,
  "resolvedBy" uuid,
  "resolvedAt" timestamptz,
  constraint upload_errors_pkey primary key (id),
  constraint "upload_errors_userId_fkey"
    foreign key ("userId") references public.profiles (id) on update cascade on delete set null,
  constraint "upload_errors_resolvedBy_fkey"
    foreign key ("resolvedBy") references public.profiles (id) on update cascade on delete set null
);

comment on table public.upload_errors is 'Failed uploads; an anonymous one has no userId';
comment on column public.upload_errors."correlationId" is 'Ties the attempts of one upload together';
comment on column public.upload_errors.message is 'What the log says';
comment on column public.upload_errors."userMessage" is 'What the user was told';

create index "upload_errors_correlationId_idx" on public.upload_errors ("correlationId");
create index "upload_errors_userId_idx" on public.upload_errors ("userId") where "userId" is not null;
create index "upload_errors_errorType_idx" on public.upload_errors ("errorType");
create index upload_errors_timestamp_idx on public.upload_errors ("timestamp" desc);
create index upload_errors_unresolved_idx on public.upload_errors ("errorType", "timestamp" desc) where not resolved;
create index upload_errors_retryable_idx
on public.upload_errors ("correlationId", "timestamp" desc) where retryable and not resolved;
