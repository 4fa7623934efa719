-- Who deleted a profile, and why. The table is the application's; these two columns are added to it.

alter table public.profiles
  add column "deletedBy" uuid,
  add column "deletionReason" text,
  add constraint "profiles_deletedBy_fkey"
    foreign key ("deletedBy") references public.profiles (id) on update cascade on delete set null;

comment on column public.profiles."deletedBy" is 'Profile that deleted this one; null for the system';
comment on column public.profiles."deletionReason" is 'Why the profile was deleted';

create index "profiles_deletedBy_idx" on public.profiles ("deletedBy");
