-- The queries whose times are compared before and after a change of the audit trail: what the application asks of the
-- tables that it has had before.

-- query: profile
select id, email, name, type, status
from public.profiles
where email = 'no such address';

-- query: profiles
select id, email, "createdAt"
from public.profiles
where "deletedAt" is null
order by "createdAt" desc
limit 50;
