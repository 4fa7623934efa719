/** The schemas of the foreign corpus. */
import { auth } from "./auth/changes.ts";
import { cms } from "./cms/changes.ts";
import { events } from "./events/changes.ts";
import { geography } from "./geography/changes.ts";
import { ledger } from "./ledger/changes.ts";
import { queue } from "./queue/changes.ts";
import { saas } from "./saas/changes.ts";
import { scheduler } from "./scheduler/changes.ts";
import { search } from "./search/changes.ts";
import { timeseries } from "./timeseries/changes.ts";

export const foreignSchemas = [auth, cms, events, geography, ledger, queue, saas, scheduler, search, timeseries];
