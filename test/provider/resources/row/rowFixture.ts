import { createTestDatabase, type TestDatabase } from "../../../support/database.ts";
import { type ProviderClient, startProvider } from "../../../support/providerClient.ts";

export const ROW = "pgstrata:index:Row";

/**
 * Small tables with all that rows meet: encryption by a trigger, checks, foreign keys of each kind, all sorts
 * of types.
 */
const TABLES = `
  CREATE EXTENSION pgcrypto;
  CREATE SCHEMA app;
  CREATE TABLE app.organizations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), slug text NOT NULL UNIQUE, name text NOT NULL DEFAULT 'unnamed',
    settings jsonb NOT NULL DEFAULT '{}', raw json, tags text[] NOT NULL DEFAULT '{}', seats integer CHECK (seats > 0),
    quota bigint, price numeric(10, 2), active boolean NOT NULL DEFAULT true, code varchar(4), blob bytea, since timestamptz,
    parent_id uuid REFERENCES app.organizations (id) ON DELETE CASCADE);
  CREATE TABLE app.projects (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), slug text NOT NULL,
    organization_id uuid NOT NULL REFERENCES app.organizations (id) ON DELETE CASCADE);
  CREATE TABLE app.files (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id uuid REFERENCES app.projects (id) ON DELETE CASCADE);
  CREATE TABLE app.notes (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id uuid REFERENCES app.organizations (id) ON DELETE SET NULL);
  CREATE TABLE app.invoices (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id uuid REFERENCES app.organizations (id));
  CREATE TABLE app.plain (name text, value text);
  CREATE TABLE app.databases (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT NULL,
    type text NOT NULL CONSTRAINT databases_type_check CHECK (type IN ('mongodb', 'redis', 'postgresql')),
    connection_string text NOT NULL, connection_string_encrypted bytea, health text DEFAULT 'unknown', password text);
  CREATE FUNCTION app.encrypt() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
  BEGIN
    IF NEW.connection_string IS NULL OR NEW.connection_string NOT LIKE '%***%' THEN
      NEW.connection_string_encrypted := pgp_sym_encrypt(NEW.connection_string, 'key');
      NEW.connection_string := NEW.type || '://***';
    END IF;
    RETURN NEW;
  END $$;
  CREATE FUNCTION app.decrypt(row_id uuid) RETURNS text LANGUAGE sql STABLE SET search_path = public, pg_temp AS
    $$ SELECT pgp_sym_decrypt(connection_string_encrypted, 'key') FROM app.databases WHERE id = row_id $$;
  CREATE TRIGGER encrypt BEFORE INSERT OR UPDATE ON app.databases FOR EACH ROW EXECUTE FUNCTION app.encrypt();
  CREATE TABLE app.shouting (name text PRIMARY KEY, value text);
  CREATE FUNCTION app.shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.value := upper(NEW.value); RETURN NEW; END $$;
  CREATE TRIGGER shout BEFORE INSERT OR UPDATE ON app.shouting FOR EACH ROW EXECUTE FUNCTION app.shout();
  CREATE TABLE app.slow (name text);
  CREATE FUNCTION app.wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.05); RETURN NEW; END $$;
  CREATE TRIGGER wait BEFORE INSERT ON app.slow FOR EACH ROW EXECUTE FUNCTION app.wait();
  CREATE TABLE app.stubborn (name text PRIMARY KEY);
  CREATE FUNCTION app.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
  CREATE TRIGGER keep BEFORE DELETE ON app.stubborn FOR EACH ROW EXECUTE FUNCTION app.keep()`;

export interface RowFixture {
  database: TestDatabase;
  provider: ProviderClient;
  stop(): Promise<void>;
}

/** A database with the tables, and a provider that is connected to it. */
export async function startRowFixture(): Promise<RowFixture> {
  const database = await createTestDatabase();
  await database.query(TABLES);
  const provider = await startProvider();
  await provider.configure({ url: database.url, lockTimeoutMs: 200, lockRetries: 1 });
  return {
    database,
    provider,
    async stop() {
      await provider.stop();
      await database.drop();
    },
  };
}
