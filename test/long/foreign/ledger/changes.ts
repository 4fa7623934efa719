import type { ForeignSchema } from "../foreignSchema.ts";

const CREDIT = "ALTER TABLE ONLY ledger.entries_2025 ATTACH PARTITION ledger.entries_2025_credit FOR VALUES IN ('-1');";

export const ledger: ForeignSchema = {
  name: "ledger",
  roles: ["ledger_app", "ledger_auditor"],
  changes: [
    {
      title: "the next year's partition",
      edits: [
        [
          CREDIT,
          `${CREDIT}\n\nCREATE TABLE ledger.entries_2026 PARTITION OF ledger.entries FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2027-01-01 00:00:00+00');`,
        ],
      ],
    },
    {
      title: "a numeric below a domain gets more digits",
      edits: [["AS numeric(20,4) NOT NULL", "AS numeric(28,8) NOT NULL"]],
      refused: "cannot change while columns use it",
    },
    {
      title: "a currency more is asked for by a check, and rates get a source",
      edits: [
        [
          "    rate numeric(18,9) NOT NULL,",
          "    rate numeric(18,9) NOT NULL,\n    source text DEFAULT 'ecb'::text NOT NULL,",
        ],
        [
          "    ADD CONSTRAINT rates_pkey PRIMARY KEY (base, quote, valid_on);",
          "    ADD CONSTRAINT rates_pkey PRIMARY KEY (base, quote, valid_on, source);",
        ],
      ],
      back: { allow: ["drop-column:ledger.rates.source"] },
    },
    {
      title: "a text with a check becomes an enum",
      edits: [
        [
          "CREATE DOMAIN ledger.currency_code",
          "CREATE TYPE ledger.transaction_kind AS ENUM ('journal', 'reversal', 'closing');\n\nCREATE DOMAIN ledger.currency_code",
        ],
        [
          "    kind text DEFAULT 'journal'::text NOT NULL,",
          "    kind ledger.transaction_kind DEFAULT 'journal'::ledger.transaction_kind NOT NULL,",
        ],
        [
          "    CONSTRAINT transactions_kind_check CHECK ((kind = ANY (ARRAY['journal'::text, 'reversal'::text, 'closing'::text]))),\n",
          "",
        ],
        ["((kind = 'reversal'::text) =", "((kind = 'reversal'::ledger.transaction_kind) ="],
      ],
      allow: ["rewrite-table:ledger.transactions", "change-type:ledger.transactions.kind"],
      back: { allow: ["change-type:ledger.transactions.kind", "rewrite-table:ledger.transactions"] },
    },
    {
      title: "the partitioned table gets a column, which a view and a materialized view show",
      edits: [
        [
          "--\n-- PostgreSQL database dump complete\n--\n",
          "ALTER TABLE ledger.entries ADD COLUMN cost_centre text;\nCREATE INDEX entries_cost_centre ON ledger.entries (cost_centre) WHERE cost_centre IS NOT NULL;\n",
        ],
      ],
      back: { allow: ["drop-column:ledger.entries.cost_centre"] },
    },
    {
      title: "the aggregate gets another state",
      edits: [
        [
          "CREATE FUNCTION ledger.rate_state(state numeric, rate numeric) RETURNS numeric",
          "CREATE FUNCTION ledger.rate_state(state double precision, rate numeric) RETURNS double precision",
        ],
        ["coalesce(state, 1) * coalesce(rate, 1)", "coalesce(state, 1) * coalesce(rate, 1)::double precision"],
        ["    STYPE = numeric,", "    STYPE = double precision,"],
        ["rate_state(numeric, numeric)", "rate_state(double precision, numeric)"],
      ],
    },
    {
      title: "a view is built upon, and the lower one gets a column",
      edits: [
        [
          "    NULL::ledger.currency_code AS currency,",
          "    NULL::ledger.currency_code AS currency,\n    NULL::timestamp with time zone AS last_booked_at,",
        ],
        [
          "    a.currency,\n    sum(((e.amount)",
          "    a.currency,\n    max(e.booked_at) AS last_booked_at,\n    sum(((e.amount)",
        ],
      ],
    },
    {
      title: "a materialized view counts by quarter",
      edits: [
        [
          "    date_trunc('month'::text, e.booked_at, 'UTC'::text) AS month,",
          "    date_trunc('quarter'::text, e.booked_at, 'UTC'::text) AS quarter,",
        ],
        [
          "e.account_id, (date_trunc('month'::text, e.booked_at, 'UTC'::text))",
          "e.account_id, (date_trunc('quarter'::text, e.booked_at, 'UTC'::text))",
        ],
        ["USING btree (account_id, month);", "USING btree (account_id, quarter);"],
      ],
    },
    {
      title: "a foreign key from the partitioned table is deferrable",
      edits: [
        [
          "FOREIGN KEY (transaction_id) REFERENCES ledger.transactions(id);",
          "FOREIGN KEY (transaction_id) REFERENCES ledger.transactions(id) DEFERRABLE INITIALLY DEFERRED;",
        ],
      ],
    },
    {
      title: "a serial becomes an identity column",
      edits: [
        [
          "ALTER TABLE ONLY ledger.audit_log ALTER COLUMN id SET DEFAULT nextval('ledger.audit_log_id_seq'::regclass);",
          "",
        ],
        [
          "CREATE SEQUENCE ledger.audit_log_id_seq\n    START WITH 1\n    INCREMENT BY 1\n    NO MINVALUE\n    NO MAXVALUE\n    CACHE 1;",
          "ALTER TABLE ledger.audit_log ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;",
        ],
        ["ALTER SEQUENCE ledger.audit_log_id_seq OWNED BY ledger.audit_log.id;", ""],
      ],
    },
  ],
};
