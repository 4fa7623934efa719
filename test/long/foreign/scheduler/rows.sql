INSERT INTO sched.calendars VALUES ('de', 'Europe/Berlin', '{"[2026-12-24,2026-12-27)"}'), ('utc', 'UTC', '{}');
INSERT INTO sched.jobs (job_name, job_class, job_data, state)
  SELECT 'job ' || n, 'org.example.Job' || n % 4, jsonb_build_object('n', n), (ARRAY['ENABLED', 'PAUSED'])[1 + n % 2]::sched.job_state FROM generate_series(1, 40) n;
INSERT INTO sched.triggers (job_id, calendar, cron_expr, every, next_fire, retries)
  SELECT n, CASE WHEN n % 3 = 0 THEN 'de' END, CASE WHEN n % 2 = 0 THEN '0 * * * *' END, CASE WHEN n % 2 = 1 THEN interval '5 min' END,
         timestamptz '2026-03-01 00:00Z' + n * interval '1 min', CASE WHEN n % 4 = 0 THEN ROW(3, '1 min', 0.5)::sched.retry_policy END
    FROM generate_series(1, 40) n;
INSERT INTO sched.runs (job_id, state, queued_at, started_at, finished_at, worker, error)
  SELECT 1 + n % 40, (ARRAY['OK', 'FAILED', 'OK', 'CANCELLED'])[1 + n % 4]::sched.run_state, timestamptz '2026-01-01 00:00Z' + n * interval '9 hours',
         timestamptz '2026-01-01 00:00Z' + n * interval '9 hours', timestamptz '2026-01-01 00:00Z' + n * interval '9 hours' + interval '7 min', 'w' || n % 5,
         CASE WHEN n % 4 = 1 THEN 'boom' END
    FROM generate_series(1, 220) n;
INSERT INTO sched.workers (worker, address) SELECT 'w' || n, ('10.0.0.' || n)::inet FROM generate_series(0, 4) n;
INSERT INTO sched.leases SELECT n, 'w1', tstzrange('2026-01-01 00:00Z', '2026-01-02 00:00Z') FROM generate_series(1, 30) n;
INSERT INTO sched.job_dependencies SELECT n, n - 1 FROM generate_series(2, 20) n;
