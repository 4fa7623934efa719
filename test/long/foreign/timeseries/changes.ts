import type { ForeignSchema } from "../foreignSchema.ts";

const DEFAULT = "create table metrics_internal.samples_default partition of samples default;";

export const timeseries: ForeignSchema = {
  name: "timeseries",
  roles: ["timeseries_dashboard"],
  changes: [
    {
      title: "a partition of a later week beside a default partition with rows",
      edits: [
        [
          DEFAULT,
          `create table samples_2026w40 partition of samples for values from ('2026-09-28 00:00+00') to ('2026-10-05 00:00+00');\n${DEFAULT}`,
        ],
      ],
    },
    {
      title: "a partition is detached and kept as a table of its own",
      movesRowsOf: ["metrics.samples"],
      edits: [
        [
          "create table samples_2026w01 partition of samples for values from ('2025-12-29 00:00+00') to ('2026-01-05 00:00+00') with (autovacuum_freeze_min_age = 0);",
          `create table samples_2026w01 (
  series_id integer not null,
  at timestamptz not null,
  value double precision not null,
  quality quality not null default 'good',
  received_at timestamptz not null default now(),
  constraint samples_2026w01_pkey primary key (series_id, at)
) with (autovacuum_freeze_min_age = 0);`,
        ],
      ],
    },
    {
      title: "a foreign key from the partitioned table to the series",
      edits: [
        [
          "  series_id integer not null,\n  at timestamptz not null,\n  value double precision not null,\n  quality quality not null default 'good',\n  received_at timestamptz not null default now()\n) partition by",
          "  series_id integer not null references series on delete cascade,\n  at timestamptz not null,\n  value double precision not null,\n  quality quality not null default 'good',\n  received_at timestamptz not null default now()\n) partition by",
        ],
      ],
    },
    {
      title: "the enum gets a value that an index and a view ask for",
      edits: [["('good', 'estimated', 'bad')", "('good', 'estimated', 'suspect', 'bad')"]],
      back: {
        allow: [
          "change-type:metrics.samples.quality",
          "change-type:metrics.samples_2026w01.quality",
          "rewrite-table:metrics.samples",
          "rewrite-table:metrics.samples_2026w01",
        ],
      },
    },
    {
      title: "the view of the last readings is limited, and the one upon it shows the site",
      edits: [
        [
          "    from samples order by series_id, at desc;",
          "    from samples where at > now() - interval '400 days' order by series_id, at desc;",
        ],
        [
          "  select d.id, d.serial, s.metric,",
          "  select d.id, (select name from sites where sites.id = d.site_id) as site, d.serial, s.metric,",
        ],
      ],
    },
    {
      title: "maintenance must not overlap, and has a key",
      edits: [
        ["create schema metrics;\n", "create extension btree_gist;\ncreate schema metrics;\n"],
        [
          "  during tsrange not null,\n  note text\n);",
          "  during tsrange not null,\n  note text,\n  id bigint generated always as identity primary key,\n  exclude using gist (device_id with =, during with &&)\n);",
        ],
      ],
      allow: [
        "rewrite-table:metrics.maintenance",
        "build-constraint:metrics.maintenance.maintenance_device_id_during_excl",
      ],
      back: { allow: ["drop-column:metrics.maintenance.id"] },
    },
    {
      title: "an index of a single partition goes, and one of all comes",
      edits: [
        [
          "create index samples_2026w01_bad on samples_2026w01 (at) where quality = 'bad';",
          "create index samples_bad on samples (at) where quality = 'bad';",
        ],
      ],
    },
    {
      title: "timestamps become ones with time zone, with a conversion",
      edits: [
        [
          "  during tsrange not null,",
          "  -- converted by: tstzrange(lower(during) at time zone 'UTC', upper(during) at time zone 'UTC', '[)')\n  during tstzrange not null,",
        ],
      ],
      allow: ["change-type:metrics.maintenance.during", "rewrite-table:metrics.maintenance"],
      back: {
        allow: ["change-type:metrics.maintenance.during", "rewrite-table:metrics.maintenance"],
        edits: [
          [
            "  during tsrange not null,",
            "  -- converted by: tsrange(lower(during) at time zone 'UTC', upper(during) at time zone 'UTC', '[)')\n  during tsrange not null,",
          ],
        ],
      },
    },
    {
      title: "a function that a materialized view calls starts its weeks elsewhere",
      edits: [["timestamptz '2000-01-03 00:00+00'", "timestamptz '2001-01-01 00:00+00'"]],
    },
    {
      title: "a device's text becomes a column of its own, and labels are checked",
      edits: [
        [
          "  labels jsonb not null default '{}'::jsonb,",
          "  labels jsonb not null default '{}'::jsonb constraint labels_are_an_object check (jsonb_typeof(labels) = 'object'),\n  rack text generated always as (labels ->> 'rack') stored,",
        ],
      ],
      allow: ["rewrite-table:metrics.devices"],
      back: { allow: ["drop-column:metrics.devices.rack"] },
    },
  ],
};
