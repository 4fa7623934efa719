/** Works in a worktree, and is interrupted meanwhile. */
import { inWorktree } from "../../../../tools/rollback/worktree.ts";

const [, , folder = "", commit = ""] = process.argv;
const place = { folder, stack: "prod", env: process.env, stdout: process.stdout };
await inWorktree(place, { commit, patch: undefined }, console.log, (project) => {
  console.log(project);
  return new Promise((resolve) => setTimeout(resolve, 60_000));
});
