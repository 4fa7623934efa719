import { describe, expect, test } from "vitest";
import { readCatalog } from "../../provider/engine/facts.ts";
import { freshDatabases } from "../support/freshDatabases.ts";
import { inRun, pending, preview, project, put, up } from "../support/layerHarness.ts";

const freshDatabase = freshDatabases();

/** One of each kind of definition, over a column whose comparisons the server prints in a form that does not stay. */
const STATUS_IN = "status in ('new', 'seen')";
const EVERYWHERE = `
  create schema app;
  create extension btree_gist with schema public;
  create domain app.mood as varchar(20) default lower('GOOD'::varchar) check (value in ('good', 'bad'));
  create table app.findings (
    id int primary key,
    status varchar(20) not null default 'new' check (${STATUS_IN}),
    fallback bool default ('new'::varchar(20) in ('new', 'seen')),
    is_open bool generated always as (${STATUS_IN}) stored,
    during int4range,
    constraint apart exclude using gist (during with &&) where (${STATUS_IN})
  );
  create table app.parts (status varchar(20)) partition by list ((${STATUS_IN}));
  create index findings_open on app.findings ((${STATUS_IN})) where ${STATUS_IN};
  create policy open_ones on app.findings using (${STATUS_IN}) with check (${STATUS_IN});
  create view app.open_findings as select id from app.findings where ${STATUS_IN};
  create materialized view app.closed as select id from app.findings where not (${STATUS_IN});
  create function app.noted() returns trigger language plpgsql as $$ begin return new; end $$;
  create trigger noted after update on app.findings for each row when (new.${STATUS_IN}) execute function app.noted();
  create rule ignored as on delete to app.findings where old.${STATUS_IN} do instead nothing;
  create function app.is_open(status varchar, fine bool default ('a'::varchar in ('a', 'b'))) returns bool language sql return ${STATUS_IN};
  create function app.kinds() returns setof text language sql begin atomic
    with kinds as (select 'a'::text as kind, 1 as n union all select 'b', null) select kind from kinds;
  end;
  create publication changes for table app.findings where (status = 'new');`;

test("a definition that the server prints in two forms is made, and asks for nothing more", async () => {
  const { url } = await freshDatabase();
  const state = await up(url, project.layer("everywhere", EVERYWHERE));
  expect(await pending(url, state)).toEqual([]);
});
