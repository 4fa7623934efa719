import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestDatabase, type TestDatabase } from "../../../support/database.ts";
import { type ProviderClient, startProvider } from "../../../support/providerClient.ts";

export const ROWS = "pgstrata:index:Rows";

/** Small tables with all that sets of rows meet. */
const TABLES = `
  CREATE EXTENSION pgcrypto;
  CREATE SCHEMA app;
  CREATE TABLE app.countries (code varchar(2) PRIMARY KEY, name text NOT NULL UNIQUE, area numeric(10, 2) CHECK (area > 0), tags text[]);
  CREATE TABLE app.cities (name text PRIMARY KEY, country varchar(2) NOT NULL REFERENCES app.countries ON DELETE CASCADE);
  CREATE TABLE app.kinds (
    id integer PRIMARY KEY, at timestamptz, amount numeric, doc jsonb, raw json, tags integer[], flag boolean, blob bytea, note text);
  CREATE TABLE app.tree (id integer PRIMARY KEY, parent integer REFERENCES app.tree);
  CREATE TABLE app.numbered (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, upper text GENERATED ALWAYS AS (upper(name)) STORED);
  CREATE TABLE app.loose (code text, name text);
  CREATE TABLE app.parts (region text, id integer, name text, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
  CREATE TABLE app.parts_eu PARTITION OF app.parts FOR VALUES IN ('eu');
  CREATE TABLE app.parts_us PARTITION OF app.parts FOR VALUES IN ('us');
  CREATE TABLE app."Odd ""name""" ("Key" text PRIMARY KEY, "a.b" text);
  CREATE TABLE app.shouting (code text PRIMARY KEY, name text);
  CREATE FUNCTION app.shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name := upper(NEW.name); RETURN NEW; END $$;
  CREATE TRIGGER shout BEFORE INSERT OR UPDATE ON app.shouting FOR EACH ROW EXECUTE FUNCTION app.shout();
  CREATE TABLE app.stubborn (code text PRIMARY KEY);
  CREATE FUNCTION app.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
  CREATE TRIGGER keep BEFORE DELETE ON app.stubborn FOR EACH ROW EXECUTE FUNCTION app.keep();
  CREATE TABLE app.slow (code text PRIMARY KEY);
  CREATE FUNCTION app.wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.5); RETURN NEW; END $$;
  CREATE TRIGGER wait BEFORE INSERT ON app.slow FOR EACH ROW EXECUTE FUNCTION app.wait();
  CREATE TABLE app.tokens (name text PRIMARY KEY, token text, stored bytea, health text DEFAULT 'unknown', CHECK (token <> 'no'));
  CREATE FUNCTION app.encrypt() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
  BEGIN
    IF NEW.token = 'raise' THEN RAISE EXCEPTION 'bad token %', NEW.health; END IF;
    IF NEW.token <> '***' THEN NEW.stored := pgp_sym_encrypt(NEW.token, 'key'); NEW.token := '***'; END IF;
    RETURN NEW;
  END $$;
  CREATE FUNCTION app.decrypt(stored bytea) RETURNS text LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS
    $$ SELECT pgp_sym_decrypt(stored, 'key') $$;
  CREATE TRIGGER encrypt BEFORE INSERT OR UPDATE ON app.tokens FOR EACH ROW EXECUTE FUNCTION app.encrypt()`;

export interface RowsFixture {
  database: TestDatabase;
  provider: ProviderClient;
  /** Empties all tables and what the provider has said. */
  empty(): Promise<void>;
  /** Writes a file and returns its path. */
  file(name: string, content: string | Uint8Array): Promise<string>;
  stop(): Promise<void>;
}

/** A database with the tables, and a provider that is connected to it. */
export async function startRowsFixture(): Promise<RowsFixture> {
  const directory = await mkdtemp(join(tmpdir(), "pgstrata-rows-"));
  const database = await createTestDatabase();
  await database.query(TABLES);
  const provider = await startProvider();
  await provider.configure({ url: database.url, lockTimeoutMs: 200, lockRetries: 1 });
  return {
    database,
    provider,
    async empty() {
      await database.query(
        `TRUNCATE app.countries, app.cities, app.kinds, app.tree, app.numbered, app.loose, app.parts, app."Odd ""name""", app.shouting, app.slow, app.tokens`,
      );
      await database.query(
        "ALTER TABLE app.stubborn DISABLE TRIGGER keep; DELETE FROM app.stubborn; ALTER TABLE app.stubborn ENABLE TRIGGER keep",
      );
      provider.logs.length = 0;
      provider.steps.length = 0;
    },
    async file(name, content) {
      const path = join(directory, name);
      await writeFile(path, content);
      return path;
    },
    async stop() {
      await provider.stop();
      await database.drop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
