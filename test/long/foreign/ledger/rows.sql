insert into ledger.accounts (id, number, name, kind, parent_id)
  select md5('a' || n)::uuid, '1.' || n, 'Account ' || n, (array['asset', 'liability', 'income', 'expense'])[1 + n % 4]::ledger.account_kind,
         case when n > 4 then md5('a' || (n - 4))::uuid end from generate_series(1, 40) n;
insert into ledger.transactions (reference, idempotency_key, booked_at)
  select 'T' || n, md5('t' || n)::uuid, timestamptz '2024-01-01 00:00Z' + n * interval '5 days' from generate_series(1, 140) n;
insert into ledger.transactions (reference, kind, reverses_id, booked_at)
  select 'R' || id, 'reversal', id, booked_at from ledger.transactions where id % 10 = 0;
insert into ledger.entries (transaction_id, account_id, booked_at, amount, direction, memo)
  select t.id, md5('a' || (1 + (t.id + (d + 1) / 2) % 40))::uuid, t.booked_at, t.id * 1.25, d, 'm' || t.id
    from ledger.transactions t, unnest(array[-1, 1]::smallint[]) d;
insert into ledger.rates select 'EUR', q, date '2025-01-01' + n, 1.1 + n / 100.0 from unnest(array['USD', 'CHF']) q, generate_series(1, 30) n;
insert into ledger.audit_log (action, row_data) select 'insert', jsonb_build_object('n', n) from generate_series(1, 30) n;
refresh materialized view reporting.monthly;
