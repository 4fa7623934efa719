import type { ForeignSchema } from "../foreignSchema.ts";

export const cms: ForeignSchema = {
  name: "cms",
  roles: ["cms_reader", "cms_editor"],
  changes: [
    {
      title: "a column in the middle of a table, with a comment",
      edits: [
        ["  plaintext text,\n", "  plaintext text,\n  excerpt varchar(500),\n"],
        ["", `comment on column posts.excerpt is 'Shown in lists; at most 500 characters';`],
      ],
      back: { allow: ["drop-column:public.posts.excerpt"] },
    },
    {
      title: "a column in quotes is renamed, and the view and the trigger that read it follow",
      edits: [
        [
          "  featured boolean default false not null,",
          "  pinned boolean default false not null, -- renamed from: featured",
        ],
        [
          'create index "posts_featured" on posts ("publishedAt") where featured;',
          'create index "posts_pinned" on posts ("publishedAt") where pinned;',
        ],
      ],
      renamed: { "public.posts.featured": "pinned" },
      back: {
        edits: [
          [
            "  featured boolean default false not null,",
            "  featured boolean default false not null, -- renamed from: pinned",
          ],
        ],
      },
    },
    {
      title: "a status more in an enum, in the middle, and in the constraint that reads it",
      edits: [
        [
          "('draft', 'scheduled', 'published', 'archived')",
          "('draft', 'in review', 'scheduled', 'published', 'archived')",
        ],
      ],
      back: { allow: ["change-type:public.posts.status", "rewrite-table:public.posts"] },
    },
    {
      title: "varchar becomes text in a table with views on it",
      edits: [
        [
          "  name varchar(191) not null,\n  slug slug not null unique,",
          "  name text not null,\n  slug slug not null unique,",
        ],
      ],
      back: { allow: ["change-type:public.tags.name", "rewrite-table:public.tags"] },
    },
    {
      title: "a view gets a column in the middle",
      edits: [['p."publishedAt", u.name as author,', 'p."publishedAt", u.slug as author_slug, u.name as author,']],
    },
    {
      title: "an array becomes a table of its own",
      edits: [
        [
          "create index members_labels on members using gin (labels);",
          `create index members_labels on members using gin (labels);

create table labels (
  id integer generated always as identity,
  name varchar(191) not null,
  constraint labels_pkey primary key (id),
  constraint labels_name_key unique (name)
);
create table members_labels_map (
  member_id uuid not null references members (id) on delete cascade,
  label_id integer not null references labels on delete cascade,
  primary key (member_id, label_id)
);
create index members_labels_map_label on members_labels_map (label_id);`,
        ],
      ],
    },
    {
      title: "a generated column gets another expression",
      edits: [
        [
          `generated always as (coalesce(array_length(regexp_split_to_array(trim(plaintext), '\\s+'), 1), 0)) stored`,
          `generated always as (cardinality(regexp_split_to_array(coalesce(plaintext, ''), '\\s+'))) stored`,
        ],
      ],
      allow: ["rewrite-table:public.posts"],
      back: { allow: ["rewrite-table:public.posts"] },
    },
    {
      title: "a foreign key gets ON DELETE CASCADE and an index",
      edits: [
        [
          'foreign key ("authorId") references users (id);',
          'foreign key ("authorId") references users (id) on delete cascade;\ncreate index "posts_authorId" on posts ("authorId");',
        ],
      ],
    },
    {
      title: "a function in SQL gets a parameter with a default",
      edits: [
        [
          "related_posts(for_post bigint, max integer default 5)",
          "related_posts(for_post bigint, max integer default 5, min_score integer default 1)",
        ],
        [
          "   group by 1, 2\n   order by 3 desc",
          "   group by 1, 2\n  having count(*) >= min_score\n   order by 3 desc",
        ],
        ["related_posts(bigint, integer) to cms_reader", "related_posts(bigint, integer, integer) to cms_reader"],
      ],
    },
    {
      title: "a check is made stricter, and a nullable column becomes NOT NULL",
      edits: [
        ['check ("Size" >= 0)', 'check ("Size" between 0 and 1073741824)'],
        ['  "Checksum" bytea,', '  "Checksum" bytea not null,'],
      ],
    },
  ],
};
