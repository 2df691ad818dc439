// Runs the scenario with the AWS SDK for JavaScript and prints what came of each step as JSON.
//
// run.mjs SCENARIO MODULES reads the simulator's first line from standard input; MODULES is the folder with the SDK.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline/promises";
import { join } from "node:path";

// Members that errors of the service have besides code and message.
const MEMBERS = ["resourceId", "resourceType", "serviceCode", "quotaCode", "reason", "fieldList"];

const [scenarioFile, modules] = process.argv.slice(2);
const sdk = createRequire(join(modules, "package.json"))("@aws-sdk/client-vpc-lattice");

/** The value with what was saved in the place of ${name}. */
function filled(value, saved) {
  if (Array.isArray(value)) return value.map((item) => filled(item, saved));
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [filled(name, saved), filled(item, saved)]));
  }
  if (typeof value !== "string") return value;
  return Object.entries(saved).reduce((text, [name, item]) => text.replaceAll("${" + name + "}", item), value);
}

/** The member at a path such as items.0.id. */
function member(value, path) {
  return path.split(".").reduce((inner, part) => inner[part], value);
}

async function firstLine() {
  for await (const line of createInterface({ input: process.stdin })) return line;
  throw new Error("the simulator's first line is missing");
}

const scenario = JSON.parse(readFileSync(scenarioFile, "utf8"));
const ready = JSON.parse(await firstLine());
const clients = ready.accounts.map(
  (account) =>
    new sdk.VPCLatticeClient({
      endpoint: ready.endpoint,
      region: ready.region,
      maxAttempts: 1,
      credentials: { accessKeyId: account.access_key_id, secretAccessKey: account.secret_access_key },
    }),
);
const saved = {};
const results = [];
for (const step of scenario) {
  if (step.put) {
    const body = JSON.stringify(filled(step.body, saved));
    const answer = await fetch(ready.endpoint + step.put, { method: "PUT", body });
    if (!answer.ok) throw new Error(`${step.put}: ${await answer.text()}`);
    results.push(null);
    continue;
  }
  let result;
  try {
    const command = new sdk[`${step.operation}Command`](filled(step.input, saved));
    const { $metadata, ...output } = await clients[step.account ?? 0].send(command);
    result = output;
  } catch (error) {
    if (!(error instanceof sdk.VPCLatticeServiceException)) throw error;
    result = { error: error.name, message: error.message };
    for (const name of MEMBERS) if (error[name] !== undefined) result[name] = error[name];
  }
  result = JSON.parse(JSON.stringify(result));
  results.push(result);
  for (const [name, path] of Object.entries(step.save ?? {})) saved[name] = member(result, path);
}
process.stdout.write(JSON.stringify(results, null, 1));
process.exit(0);
