import type { ForeignSchema } from "../foreignSchema.ts";

export const geography: ForeignSchema = {
  name: "geography",
  roles: ["geography_map"],
  changes: [
    {
      title: "an inherited table stands alone",
      movesRowsOf: ["geo.features"],
      // What inherits again keeps its columns as its own.
      back: { differs: "features_id_seq" },
      edits: [
        [
          "  centre      circle,\n  PRIMARY KEY (id)\n) INHERITS (geo.features);",
          "  centre      circle,\n  PRIMARY KEY (id)\n) INHERITS (geo.features);\nALTER TABLE geo.areas NO INHERIT geo.features;",
        ],
      ],
    },
    {
      title: "the parent of an inheritance gets a column and a check",
      edits: [
        [
          "  created     timestamptz NOT NULL DEFAULT now()\n);",
          "  created     timestamptz NOT NULL DEFAULT now(),\n  source      text NOT NULL DEFAULT 'osm' CHECK (source <> '')\n);",
        ],
      ],
      back: {
        allow: ["drop-column:geo.areas.source", "drop-column:geo.features.source"],
      },
    },
    {
      title: "a column with a blank in its name is renamed",
      edits: [
        [
          '  "UN member" boolean NOT NULL DEFAULT true',
          '  un_member   boolean NOT NULL DEFAULT true -- renamed from: "UN member"',
        ],
        ['geo.countries."UN member" IS', "geo.countries.un_member IS"],
      ],
      renamed: { "geo.countries.UN member": "un_member" },
      back: {
        edits: [
          [
            '  "UN member" boolean NOT NULL DEFAULT true',
            '  -- renamed from: un_member\n  "UN member" boolean NOT NULL DEFAULT true',
          ],
        ],
      },
    },
    {
      title: "coordinates get an altitude, in a composite type that a function takes",
      edits: [
        [
          "AS (lat double precision, lon double precision);",
          "AS (lat double precision, lon double precision, alt real);",
        ],
      ],
    },
    {
      title: "the point is computed otherwise, and indexes on it follow",
      edits: [
        [
          "GENERATED ALWAYS AS (point(lon, lat)) STORED",
          "GENERATED ALWAYS AS (point(round(lon::numeric, 6)::float8, round(lat::numeric, 6)::float8)) STORED",
        ],
      ],
      allow: ["rewrite-table:geo.places"],
      back: { allow: ["rewrite-table:geo.places"] },
    },
    {
      title: "population becomes bigint below a partial index and two views",
      edits: [["  population  integer CHECK", "  population  bigint CHECK"]],
      allow: ["rewrite-table:geo.places"],
      back: { allow: ["change-type:geo.places.population", "rewrite-table:geo.places"] },
    },
    {
      title: "a kind of places more, and the index of the big ones has it",
      edits: [
        ["'city', 'district', 'poi')", "'city', 'town', 'district', 'poi')"],
        ["kind IN ('city', 'state') AND", "kind IN ('city', 'town', 'state') AND"],
      ],
      back: { allow: ["change-type:geo.places.kind", "rewrite-table:geo.places"] },
    },
    {
      title: "the exclusion of post codes is by country alone",
      edits: [
        [
          "(country WITH =, code WITH =, numbers WITH &&)",
          "(country WITH =, code WITH =, numbers WITH &&) WHERE (NOT isempty(numbers))",
        ],
      ],
      allow: ["build-constraint:geo.postcodes.postcodes_country_code_numbers_excl"],
      back: { allow: ["build-constraint:geo.postcodes.postcodes_country_code_numbers_excl"] },
    },
    {
      title: "a view loses its check option and a rule, and shows the point's parts",
      edits: [
        [
          "name, at, population FROM geo.places WHERE kind = 'city' WITH CASCADED CHECK OPTION;",
          "name, at, at[0] AS lon, at[1] AS lat, population FROM geo.places WHERE kind = 'city';",
        ],
        ["COMMENT ON RULE cities_delete ON geo.cities IS 'Places are never deleted';\n", ""],
        [
          "CREATE OR REPLACE RULE cities_delete AS ON DELETE TO geo.cities DO INSTEAD UPDATE geo.places SET valid = daterange(lower(valid), CURRENT_DATE) WHERE id = OLD.id;\n",
          "",
        ],
      ],
    },
    {
      title: "an address's postcode becomes a column of a table of its own",
      edits: [
        [
          '  street      text, "number" text, postcode varchar(12),',
          '  street      text, "number" text, postcode varchar(12), country geo.iso2 REFERENCES geo.countries (code),',
        ],
        [
          "CREATE INDEX ON geo.addresses (search text_pattern_ops);",
          "CREATE INDEX ON geo.addresses (search text_pattern_ops);\nCREATE INDEX ON geo.addresses (country, postcode);",
        ],
      ],
      back: { allow: ["drop-column:geo.addresses.country"] },
    },
  ],
};
