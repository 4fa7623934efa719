insert into queue.tasks (identifier) select 'task-' || n from generate_series(1, 8) n;
insert into queue.queues (queue_name) select 'queue-' || n from generate_series(1, 5) n;
insert into queue._private_jobs (job_queue_id, task_id, payload, priority, run_at, attempts, key, locked_at, locked_by, flags)
  select case when n % 3 = 0 then 1 + n % 5 end, 1 + n % 8, jsonb_build_object('n', n)::json, n % 10, timestamptz '2026-05-01 00:00Z' + n * interval '1 minute', n % 3,
         case when n % 4 = 0 then 'key-' || n end, case when n % 11 = 0 then timestamptz '2026-05-01 00:00Z' end, case when n % 11 = 0 then 'w1' end,
         case when n % 6 = 0 then '{"slow": true}'::jsonb end
    from generate_series(1, 300) n;
insert into queue.known_crontabs select 'cron-' || n, timestamptz '2026-01-01 00:00Z' from generate_series(1, 6) n;
insert into queue.dead_letters (id, task_id, payload, is_available, reason, revision)
  select n, 1, '{"a": 1}', true, 'too many attempts', 0 from generate_series(1001, 1040) n;
