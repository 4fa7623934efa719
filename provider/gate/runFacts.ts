/** What the target tells of the moment, in one row, and what the checks say of it. */

import { inconclusive } from "./measure.ts";
import { type CheckResult, check } from "./results.ts";
import type { GateSettings } from "./settings.ts";

/** A transaction of another session; `idleSeconds` where it waits for its client. */
interface OpenTransaction {
  pid: number;
  role: string;
  ageSeconds: number;
  idleSeconds: number | null;
  isOnManaged: boolean;
}

export interface RunFacts {
  role: string;
  databaseMb: number;
  unreadableTables: string[];
  transactions: OpenTransaction[];
  /** Sessions on the managed tables of which the role may not know what they do. */
  hiddenSessions: number;
  prepared: { gid: string; ageSeconds: number }[];
  replicas: { name: string; lagSeconds: number; lagMb: number; isHidden: boolean }[];
  slots: { name: string; retainedMb: number }[];
  /** Tables that a worker keeps from wraparound. */
  vacuumed: string[];
  transactionAge: number;
}

/** Which checks fail together with the query. */
export const ASKED = [
  ...["long-transactions", "idle-in-transaction", "prepared-transactions", "replication-lag"],
  ...["replication-slots", "wraparound", "backup"],
];

/** Answered with one row; numbers come as such, because lists are JSON. */
export const RUN_FACTS = `
  with managed as (
    select c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname) as name
      from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) c.relnamespace
     where n.nspname::pg_catalog.text operator(pg_catalog.=) any ($1::pg_catalog.text[])
       and c.relkind in ('r', 'p', 'm', 'v', 'i', 'I', 'S')),
  here as (select oid, datname, datfrozenxid from pg_catalog.pg_database
            where datname operator(pg_catalog.=) pg_catalog.current_database()),
  locks as (
    select distinct l.pid, m.name
      from pg_catalog.pg_locks l join managed m on m.oid operator(pg_catalog.=) l.relation
     where l.locktype operator(pg_catalog.=) 'relation' and l.database operator(pg_catalog.=) (select oid from here)),
  position as (
    select case when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_last_wal_replay_lsn()
                else pg_catalog.pg_current_wal_lsn() end as lsn),
  sessions as (
    select a.*, exists (select from locks l where l.pid operator(pg_catalog.=) a.pid) as on_managed
      from pg_catalog.pg_stat_activity a
     where a.datid operator(pg_catalog.=) (select oid from here) and a.pid <> pg_catalog.pg_backend_pid())
  select current_user::pg_catalog.text as role,
         pg_catalog.pg_database_size((select oid from here))::pg_catalog.float8 / 1048576 as "databaseMb",
         array(select pg_catalog.format('%I.%I', n.nspname, c.relname)
                 from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) c.relnamespace
                where c.relkind in ('r', 'p', 'S') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
                  and not pg_catalog.has_table_privilege(c.oid, 'SELECT') order by 1) as "unreadableTables",
         coalesce((select pg_catalog.json_agg(pg_catalog.json_build_object('pid', pid, 'role', usename,
                     'ageSeconds', extract(epoch from pg_catalog.clock_timestamp() - xact_start),
                     'idleSeconds', case when state like 'idle in transaction%'
                                         then extract(epoch from pg_catalog.clock_timestamp() - state_change) end,
                     'isOnManaged', on_managed) order by xact_start)
                   from sessions where xact_start is not null and backend_type = 'client backend'), '[]') as transactions,
         (select pg_catalog.count(*)::pg_catalog.int4 from sessions where state is null and backend_type is null and on_managed) as "hiddenSessions",
         coalesce((select pg_catalog.json_agg(pg_catalog.json_build_object('gid', gid,
                     'ageSeconds', extract(epoch from pg_catalog.clock_timestamp() - prepared)) order by prepared)
                   from pg_catalog.pg_prepared_xacts where database operator(pg_catalog.=) (select datname from here)), '[]') as prepared,
         coalesce((select pg_catalog.json_agg(pg_catalog.json_build_object('name', coalesce(nullif(r.application_name, ''), r.pid::pg_catalog.text),
                     'isHidden', r.state is null,
                     'lagSeconds', coalesce(extract(epoch from r.replay_lag), 0),
                     'lagMb', coalesce(pg_catalog.pg_wal_lsn_diff(p.lsn, coalesce(r.replay_lsn, r.flush_lsn, r.write_lsn)), 0) / 1048576))
                   from pg_catalog.pg_stat_replication r cross join position p where r.state is distinct from 'backup'), '[]') as replicas,
         coalesce((select pg_catalog.json_agg(pg_catalog.json_build_object('name', s.slot_name,
                     'retainedMb', pg_catalog.pg_wal_lsn_diff(p.lsn, s.restart_lsn) / 1048576) order by s.restart_lsn)
                   from pg_catalog.pg_replication_slots s cross join position p where not s.active and s.restart_lsn is not null), '[]') as slots,
         array(select distinct l.name from sessions s join locks l on l.pid operator(pg_catalog.=) s.pid
                where s.backend_type = 'autovacuum worker' and s.query like '%to prevent wraparound%' order by 1) as vacuumed,
         (select pg_catalog.age(datfrozenxid) from here) as "transactionAge"`;

export function runFactChecks(facts: RunFacts, { thresholds }: GateSettings): CheckResult[] {
  const { longTransactionSeconds, idleInTransactionSeconds } = thresholds;
  const long = facts.transactions.filter(({ ageSeconds }) => ageSeconds > longTransactionSeconds);
  const idle = facts.transactions.filter(
    ({ isOnManaged, idleSeconds }) => isOnManaged && (idleSeconds ?? 0) > idleInTransactionSeconds,
  );
  const hidden = (name: string): CheckResult =>
    inconclusive(
      "run",
      name,
      `${facts.hiddenSessions} sessions of other roles hold locks on the managed tables`,
      readAllStats(facts.role),
    );
  const onManaged = long.filter(({ isOnManaged }) => isOnManaged);
  const shown = onManaged.length > 0 ? onManaged : long;
  const longCheck = check("run", "long-transactions", {
    isGood: long.length === 0,
    // Elsewhere it holds up index builds, and what follows them, but no lock.
    otherwise: onManaged.length > 0 ? "NO-GO" : "WARNING",
    measured:
      shown.length === 0
        ? "none"
        : `${told(shown)}${onManaged.length > 0 ? " on managed tables" : ", on none of the managed tables"}`,
    expected: `none older than ${longTransactionSeconds} s`,
    mend: endSession(shown),
  });
  const idleCheck = check("run", "idle-in-transaction", {
    isGood: idle.length === 0,
    measured: idle.length === 0 ? "none" : `${told(idle)} on managed tables`,
    expected: `no session on managed tables idle in a transaction for more than ${idleInTransactionSeconds} s`,
    mend: endSession(idle),
  });
  const isHidden = facts.hiddenSessions > 0;
  return [
    isHidden && longCheck.status !== "NO-GO" ? hidden(longCheck.name) : longCheck,
    isHidden && idleCheck.status !== "NO-GO" ? hidden(idleCheck.name) : idleCheck,
    prepared(facts),
    replication(facts, thresholds),
    slots(facts, thresholds),
    wraparound(facts, thresholds),
  ];
}

function prepared({ prepared: found }: RunFacts): CheckResult {
  const [first] = found;
  return check("run", "prepared-transactions", {
    isGood: first === undefined,
    measured:
      first === undefined
        ? "none"
        : `${found.length}, the oldest ${JSON.stringify(first.gid)} for ${seconds(first.ageSeconds)}`,
    expected: "none: each keeps its locks until it is ended",
    mend: `ROLLBACK PREPARED ${literal(first?.gid ?? "")}; or COMMIT PREPARED, as its coordinator says.`,
  });
}

function replication(
  { replicas, role }: RunFacts,
  { replicationLagSeconds, replicationLagMb }: GateSettings["thresholds"],
): CheckResult {
  const hidden = replicas.filter(({ isHidden }) => isHidden).length;
  if (hidden > 0)
    return inconclusive(
      "run",
      "replication-lag",
      `${hidden} replicas are hidden from role ${role}`,
      readAllStats(role),
    );
  const late = replicas.filter(
    ({ lagSeconds, lagMb }) => lagSeconds > replicationLagSeconds || lagMb > replicationLagMb,
  );
  const shown = (late.length > 0 ? late : replicas).map(
    ({ name, lagSeconds, lagMb }) => `${name} ${seconds(lagSeconds)}, ${lagMb.toFixed(1)} MB`,
  );
  return check("run", "replication-lag", {
    isGood: late.length === 0,
    measured: shown.length === 0 ? "no replica" : shown.join("; "),
    expected: `up to ${replicationLagSeconds} s and ${replicationLagMb} MB`,
    mend: "Wait until the replica has caught up, or end its connection.",
  });
}

function slots({ slots: found }: RunFacts, { slotRetainedMb }: GateSettings["thresholds"]): CheckResult {
  const holding = found.filter(({ retainedMb }) => retainedMb > slotRetainedMb);
  const [first] = holding;
  return check("run", "replication-slots", {
    isGood: first === undefined,
    measured:
      first === undefined
        ? found.length === 0
          ? "none is inactive"
          : `${found.length} inactive, none holds that much`
        : holding
            .map(({ name, retainedMb }) => `${name} is inactive and holds ${retainedMb.toFixed(1)} MB of WAL`)
            .join("; "),
    expected: `no inactive slot holds more than ${slotRetainedMb} MB`,
    mend: `Start its consumer, or: SELECT pg_drop_replication_slot(${literal(first?.name ?? "")});`,
  });
}

function wraparound(
  { vacuumed, transactionAge }: RunFacts,
  { wraparoundAge }: GateSettings["thresholds"],
): CheckResult {
  const isOld = transactionAge > wraparoundAge;
  return check("run", "wraparound", {
    isGood: vacuumed.length === 0 && !isOld,
    measured: `${vacuumed.length > 0 ? `a vacuum to prevent wraparound runs on ${vacuumed.join(", ")}; ` : ""}oldest transaction id ${transactionAge} back`,
    expected: `no vacuum to prevent wraparound on managed tables, age up to ${wraparoundAge}`,
    mend: isOld
      ? "VACUUM (FREEZE) the oldest tables first."
      : "Wait until it has ended: it does not give way to a lock.",
  });
}

const told = ([first, ...others]: readonly OpenTransaction[]): string =>
  first === undefined
    ? "none"
    : `process ${first.pid} of role ${first.role} for ${seconds(first.idleSeconds ?? first.ageSeconds)}${others.length > 0 ? ` and ${others.length} more` : ""}`;

const endSession = ([first]: readonly OpenTransaction[]): string =>
  `End it in its client, or: SELECT pg_terminate_backend(${first?.pid ?? ""});`;

const readAllStats = (role: string): string => `GRANT pg_read_all_stats TO ${JSON.stringify(role)};`;
const seconds = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} s`;
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
