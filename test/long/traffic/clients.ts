/**
 * The clients of the traffic test, as a process of their own: what the tests do must not show as waits of
 * theirs. Started by `traffic.ts` and told what to do by messages.
 */
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { ClientTransaction, FromClients, ToClients, TrafficOrder, TrafficReport } from "./protocol.ts";

/** Between two transactions, at most. */
const THINK_MS = 4;

let isStopping = false;
const report: TrafficReport = { transactions: 0, longestMs: 0, longestStatement: "", controlMs: 0, failed: [] };

function tell(message: FromClients): void {
  process.send?.(message);
}

function between(least: number, most: number): number {
  return least + Math.random() * (most - least);
}

function choose(transactions: ClientTransaction[]): ClientTransaction {
  const weightOf = ({ weight = 1 }: ClientTransaction): number => weight;
  let rest = Math.random() * transactions.reduce((sum, transaction) => sum + weightOf(transaction), 0);
  for (const transaction of transactions) {
    rest -= weightOf(transaction);
    if (rest < 0) return transaction;
  }
  throw new Error("no transaction to choose from");
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: "traffic" });
  await client.connect();
  return client;
}

async function runTransaction(
  client: pg.Client,
  { steps }: ClientTransaction,
  number: number,
  took: (milliseconds: number, sql: string) => void,
): Promise<void> {
  const run = async (template: string): Promise<void> => {
    const sql = template.replaceAll("$client", String(number));
    const started = performance.now();
    try {
      await client.query(sql);
    } finally {
      took(performance.now() - started, sql);
    }
  };
  try {
    await run("begin");
    for (const step of steps) {
      if (typeof step === "string") await run(step);
      else await sleep(between(...step.pauseMs));
    }
    await run("commit");
    report.transactions += 1;
  } catch (error) {
    const code = error instanceof pg.DatabaseError ? error.code : undefined;
    report.failed.push(`${code ?? "no SQLSTATE"}: ${error instanceof Error ? error.message : String(error)}`);
    await client.query("rollback");
  }
}

async function start({ url, clients, transactions, control }: TrafficOrder): Promise<pg.Client[]> {
  const opened = await Promise.all(Array.from({ length: clients + 1 }, () => connect(url)));
  const loop = async (client: pg.Client, number: number): Promise<void> => {
    while (!isStopping) {
      if (number > clients) {
        await runTransaction(client, control, number, (took) => {
          report.controlMs = Math.max(report.controlMs, took);
        });
      } else {
        await runTransaction(client, choose(transactions), number, (took, sql) => {
          if (took <= report.longestMs) return;
          report.longestMs = took;
          report.longestStatement = sql;
        });
      }
      await sleep(between(0, THINK_MS));
    }
  };
  running = Promise.all(opened.map((client, n) => loop(client, n + 1)));
  return opened;
}

let running: Promise<unknown> = Promise.resolve();
let opened: pg.Client[] = [];

process.on("message", async (message: ToClients) => {
  if ("start" in message) {
    opened = await start(message.start);
    tell({ started: true });
    return;
  }
  isStopping = true;
  await running;
  await Promise.all(opened.map((client) => client.end()));
  process.send?.({ report } satisfies FromClients, () => process.disconnect());
});

// Who started this process is gone.
process.on("disconnect", () => process.exit(0));
