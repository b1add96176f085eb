// Fails when src/lib/api.gen.ts is not what openapi.json says.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

if (!existsSync("tools/node_modules")) {
  execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: "tools", stdio: "inherit" });
}
const made = join(mkdtempSync(join(tmpdir(), "jirani-api-")), "api.gen.ts");
execFileSync("tools/node_modules/.bin/openapi-typescript", ["openapi.json", "-o", made], { stdio: "ignore" });
if (readFileSync(made, "utf8") !== readFileSync("src/lib/api.gen.ts", "utf8")) {
  console.error("src/lib/api.gen.ts is stale: run npm run api");
  process.exit(1);
}
