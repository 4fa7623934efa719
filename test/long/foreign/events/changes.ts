import type { ForeignSchema } from "../foreignSchema.ts";

export const events: ForeignSchema = {
  name: "events",
  roles: ["events_writer", "events_reader"],
  changes: [
    {
      title: "events know their tenant, and so do an index and a view",
      edits: [
        [
          "    data        jsonb NOT NULL,\n    metadata    jsonb NOT NULL DEFAULT '{}',\n    written_at",
          "    data        jsonb NOT NULL,\n    metadata    jsonb NOT NULL DEFAULT '{}',\n    tenant      text NOT NULL DEFAULT 'main',\n    written_at",
        ],
        ["ON es.events (type, position);", "ON es.events (tenant, type, position);"],
        ["e.type, e.data, e.metadata, e.written_at", "e.type, e.data, e.metadata, e.written_at, e.tenant"],
      ],
      allow: ["build-index:es.events_type"],
      back: { allow: ["drop-column:es.events.tenant", "build-index:es.events_type"] },
    },
    {
      title: "a composite type that a function takes gets an attribute",
      edits: [
        [
          "(id uuid, type text, data jsonb, metadata jsonb);",
          "(id uuid, type text, data jsonb, metadata jsonb, at timestamptz);",
        ],
        ["AS u (id, type, data, metadata, n)", "AS u (id, type, data, metadata, at, n)"],
      ],
    },
    {
      title: "a domain accepts more names",
      edits: [["'^[A-Z][A-Za-z.]+(\\.v[0-9]+)?$'", "'^[A-Z][A-Za-z0-9.]+$'"]],
      allow: ["scan-table:es.events"],
      back: { allow: ["scan-table:es.events"] },
    },
    {
      title: "a uuid must be unique within its stream",
      edits: [
        [
          "    PRIMARY KEY (stream_id, version)\n) PARTITION BY HASH",
          "    PRIMARY KEY (stream_id, version),\n    CONSTRAINT events_id_once UNIQUE (stream_id, event_id)\n) PARTITION BY HASH",
        ],
      ],
      allow: ["build-constraint:es.events.events_id_once"],
    },
    {
      title: "a column of a projection is renamed, with the functions and views of it",
      edits: [
        [
          "    total       numeric(12, 2) NOT NULL DEFAULT 0,",
          "    amount      numeric(12, 2) NOT NULL DEFAULT 0, -- renamed from: total",
        ],
        ["(order_id, customer, total, position)", "(order_id, customer, amount, position)"],
      ],
      renamed: { "proj.orders.total": "amount" },
      back: {
        edits: [
          [
            "    total       numeric(12, 2) NOT NULL DEFAULT 0,",
            "    total       numeric(12, 2) NOT NULL DEFAULT 0, -- renamed from: amount",
          ],
        ],
      },
    },
    {
      title: "the publication lists another column and condition",
      edits: [
        [
          "FOR TABLE es.outbox (id, topic, key, payload) WHERE (sent_at IS NULL)",
          "FOR TABLE es.outbox (id, topic, key, payload, headers)",
        ],
      ],
    },
    {
      title: "a trigger fires for other events",
      edits: [["WHEN (NEW.type LIKE 'Order%')", "WHEN (NEW.type = 'OrderPlaced' OR NEW.type = 'OrderCancelled')"]],
    },
    {
      title: "a state is an enum, and its default follows",
      edits: [
        [
          "CREATE TABLE proj.orders (",
          "CREATE TYPE proj.order_state AS ENUM ('new', 'paid', 'shipped');\nCREATE TABLE proj.orders (",
        ],
        ["    state       text NOT NULL DEFAULT 'new',", "    state       proj.order_state NOT NULL DEFAULT 'new',"],
      ],
      allow: ["change-type:proj.orders.state", "rewrite-table:proj.orders"],
      back: { allow: ["change-type:proj.orders.state", "rewrite-table:proj.orders"] },
    },
    {
      title: "the recursive view stops earlier and tells the type",
      edits: [
        [
          "CREATE RECURSIVE VIEW es.causes (event_id, cause, depth) AS\n    SELECT event_id, (metadata ->> 'causationId')::uuid, 0 FROM",
          "CREATE RECURSIVE VIEW es.causes (event_id, cause, depth, type) AS\n    SELECT event_id, (metadata ->> 'causationId')::uuid, 0, type::text FROM",
        ],
        [
          "(e.metadata ->> 'causationId')::uuid, depth + 1",
          "(e.metadata ->> 'causationId')::uuid, depth + 1, e.type::text",
        ],
      ],
    },
    {
      title: "a result column more of a function of a partitioned table's rows",
      edits: [
        [
          'RETURNS TABLE (version bigint, "position" bigint)',
          'RETURNS TABLE (version bigint, "position" bigint, id uuid)',
        ],
        ["RETURNING e.version, e.position;", "RETURNING e.version, e.position, e.event_id;"],
        ["unnest(p_events) WITH ORDINALITY AS u (id,", "unnest(p_events) WITH ORDINALITY AS u (event,"],
        ["coalesce(id, gen_random_uuid())", "coalesce(event, gen_random_uuid())"],
      ],
    },
  ],
};
