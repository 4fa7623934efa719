import type { ForeignSchema } from "../foreignSchema.ts";

export const queue: ForeignSchema = {
  name: "queue",
  roles: ["queue_worker", "queue_producer"],
  changes: [
    {
      title: "json becomes jsonb in a table that functions return rows of",
      edits: [["  payload json not null default '{}',", "  payload jsonb not null default '{}',"]],
      allow: [
        "change-type:queue._private_jobs.payload",
        "rewrite-table:queue._private_jobs",
        "change-type:queue.dead_letters.payload",
        "rewrite-table:queue.dead_letters",
      ],
      back: {
        allow: [
          "change-type:queue._private_jobs.payload",
          "rewrite-table:queue._private_jobs",
          "change-type:queue.dead_letters.payload",
          "rewrite-table:queue.dead_letters",
        ],
      },
    },
    {
      title: "a composite type gets an attribute that functions use",
      edits: [
        ["priority smallint, flags text[]);", "priority smallint, flags text[], trace_id uuid);"],
        ["priority::smallint, flags)::queue.job_spec]", "priority::smallint, flags, null)::queue.job_spec]"],
      ],
    },
    {
      title: "a table is renamed that a view, a foreign key and functions name",
      edits: [
        ["create table queue.queues (", "-- renamed from: queues\ncreate table queue.job_queues ("],
        ["null references queue.queues,", "null references queue.job_queues,"],
        [
          "left join queue.queues q on q.id = j.job_queue_id\n);",
          "left join queue.job_queues q on q.id = j.job_queue_id\n);",
        ],
        ["  insert into queue.queues (queue_name)", "  insert into queue.job_queues (queue_name)"],
        ["left join queue.queues q on q.queue_name", "left join queue.job_queues q on q.queue_name"],
        ["alter table queue.queues enable", "alter table queue.job_queues enable"],
        ["on queue.queues to queue_worker", "on queue.job_queues to queue_worker"],
      ],
      renamed: { "queue.queues": "queue.job_queues" },
      back: { edits: [["create table queue.queues (", "-- renamed from: job_queues\ncreate table queue.queues ("]] },
    },
    {
      title: "the hot index gets another order and an operator for its condition",
      edits: [
        ["(priority, run_at) where is_available;", "(priority desc, run_at, id) where is_available and attempts < 25;"],
      ],
    },
    {
      title: "the result of a function becomes one row of the view",
      edits: [
        [
          "create function queue.complete_job(job_id bigint) returns queue._private_jobs as $$\n  delete from queue._private_jobs where id = job_id returning *;",
          "create function queue.complete_job(job_id bigint, out done boolean, out task text) as $$\n  delete from queue._private_jobs j using queue.tasks t where j.id = job_id and t.id = j.task_id returning true, t.identifier::text;",
        ],
      ],
    },
    {
      title: "storage parameters change, and one goes",
      edits: [
        [
          "fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05",
          "fillfactor = 90, autovacuum_vacuum_scale_factor = 0.01",
        ],
      ],
    },
    {
      title: "a generated column that indexes use gets another expression",
      edits: [
        [
          "((locked_at is null) and (attempts < max_attempts)) stored",
          "((locked_at is null) and (attempts < max_attempts) and (run_at < 'infinity')) stored",
        ],
      ],
      allow: ["rewrite-table:queue._private_jobs"],
      back: { allow: ["rewrite-table:queue._private_jobs"] },
    },
    {
      title: "the view gets the payload, between two columns",
      edits: [["j.last_error, j.created_at,", "j.last_error, j.payload, j.created_at,"]],
    },
    {
      title: "policies become ones for each command, with a condition",
      edits: [
        [
          "create policy worker_all on queue._private_jobs to queue_worker using (true) with check (true);",
          `create policy worker_reads on queue._private_jobs for select to queue_worker using (true);
create policy worker_locks on queue._private_jobs for update to queue_worker using (locked_by is null or locked_by = current_user);
create policy producer_adds on queue._private_jobs as restrictive for insert to queue_producer with check (attempts = 0);`,
        ],
      ],
    },
    {
      title: "a column is dropped from a table with a generated column and rows",
      edits: [
        [
          "  locked_at timestamptz,\n  locked_by text,\n  is_available boolean generated always as (locked_at is null)",
          "  locked_at timestamptz,\n  is_available boolean generated always as (locked_at is null)",
        ],
      ],
      allow: ["drop-column:queue.job_queues.locked_by"],
    },
  ],
};
