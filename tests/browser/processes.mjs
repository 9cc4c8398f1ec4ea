// Programs beside the server: free ports, a folder, a start that waits for readiness, an end that
// leaves nothing.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

// A test file that dies leaves no process behind.
const running = new Set();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A port that nobody listens on now. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** A folder of its own. */
export function newFolder() {
  const path = mkdtempSync(join(tmpdir(), "headcount-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Starts a program. `ended` has its exit code and all that it wrote; `stop()` ends it in any state. */
export function start(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  running.add(child);
  const written = { out: "", err: "" };
  child.stdout?.setEncoding("utf8").on("data", (text) => {
    written.out += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text) => {
    written.err += text;
  });
  const ended = new Promise((resolve, reject) => {
    child.once("error", (error) => {
      running.delete(child);
      reject(error);
    });
    child.once("close", (code) => {
      running.delete(child);
      resolve({ code, ...written });
    });
  });
  // A rejection that nobody awaits yet is no failure.
  ended.catch(() => {});
  const stop = async () => {
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), 15_000);
    try {
      return await ended;
    } finally {
      clearTimeout(late);
    }
  };
  return { child, written, ended, stop };
}

/** Runs a program to its end. */
export async function run(command, args, options) {
  return start(command, args, options).ended;
}

/** Asks again and again until `ask` answers something; a failure of `program` ends the waiting. */
export async function until(what, ask, { program, within = 30_000 } = {}) {
  const deadline = Date.now() + within;
  let dead;
  program?.ended.then(
    (end) => {
      dead = end;
    },
    (error) => {
      dead = { err: String(error) };
    },
  );
  for (let last; ;) {
    if (dead) throw new Error(`it ended before ${what}: ${dead.err}`);
    try {
      const answer = await ask();
      if (answer) return answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`not within ${within} ms: ${what}`, { cause: last });
    await sleep(25);
  }
}
