// Makes the household's page ready before its script runs and its files last without a
// network: names the language's file in `index.html`, so that it travels beside the
// script, puts the style sheet and the chosen look into it, so that the page is painted before any script is
// there, and writes `sw.js` with the list of files that this build consists of.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Plugin, Rollup } from "vite";

type Bundle = Rollup.OutputBundle;
const languages = ["en", "sw"] as const;

const chunks = (bundle: Bundle) =>
  Object.values(bundle).filter((file): file is Rollup.OutputChunk => file.type === "chunk");

/** These chunks with all that they load at once, style sheets included. */
function withImports(bundle: Bundle, names: Iterable<string>, skip: ReadonlySet<string>): Set<string> {
  const found = new Set<string>();
  const queue = [...names];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (found.has(name) || skip.has(name)) continue;
    found.add(name);
    const file = bundle[name];
    if (file?.type !== "chunk") continue;
    queue.push(...file.imports, ...(file.viteMetadata?.importedCss ?? []));
  }
  return found;
}

const dynamic = (bundle: Bundle, names: Iterable<string>) =>
  [...names].flatMap((name) => {
    const file = bundle[name];
    return file?.type === "chunk" ? file.dynamicImports : [];
  });

/** Screens that few people open, and those with a network: kept once opened, not fetched ahead. */
const seldom = /\/(HandsetScreen|ProofScreen|FirstSteps|SettingsScreen|pin\/ask)\.tsx$/;

/** What the household's page loads first, what its screens are, and what only one of them opens. */
function parts(bundle: Bundle) {
  const entry = chunks(bundle).find((chunk) => chunk.isEntry && chunk.name === "household");
  if (!entry) throw new Error("the build has no entry called household");
  const all = withImports(bundle, [entry.fileName], new Set());
  // Its style sheet is in the page itself.
  const first = new Set([...all].filter((name) => !name.endsWith(".css")));
  const opened = dynamic(bundle, all);
  const isSeldom = (name: string) => {
    const file = bundle[name];
    return file?.type === "chunk" && seldom.test(file.facadeModuleId ?? "");
  };
  const later = withImports(
    bundle,
    opened.filter((name) => !isSeldom(name)),
    all,
  );
  const asked = [...opened.filter(isSeldom), ...dynamic(bundle, later)];
  const rest = withImports(bundle, asked, new Set([...all, ...later]));
  const addresses = (names: Set<string>) => [...names].sort().map((name) => `/${name}`);
  return { first: addresses(first), later: addresses(later), rest: addresses(rest) };
}

/** What both pages run before they are painted, without what only its readers need. */
const look = readFileSync(new URL("./src/look.js", import.meta.url), "utf8").replace(/^\s*(\/\/.*\n)?/gm, "");

const sheet = /<link rel="stylesheet"[^>]*href="\/([^"]+)">/g;

/** The page with its style sheets in it; the server allows them by their hash. */
function withStyles(html: string, bundle: Bundle): string {
  return html.replace(sheet, (link, name: string) => {
    const file = bundle[name];
    return file?.type === "asset" ? `<style>${String(file.source).trim()}</style>` : link;
  });
}

export function offline(): Plugin {
  return {
    name: "jirani-offline",
    enforce: "post",
    transformIndexHtml: {
      order: "post",
      handler(html, { bundle, path }) {
        const address = (language: string) => {
          const chunk = bundle
            ? chunks(bundle).find((each) =>
                each.moduleIds.some((id) => id.endsWith(`/src/i18n/${language}.ts`)),
              )
            : undefined;
          return chunk ? `/${chunk.fileName}` : `/src/i18n/${language}.ts`;
        };
        const page = languages.reduce(
          (text, language) => text.replace(`%${language}%`, address(language)),
          html.replace("<!-- look -->", () => `<script>${look}</script>`),
        );
        return bundle && path === "/index.html" ? withStyles(page, bundle) : page;
      },
    },
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const page = bundle["index.html"];
        if (page?.type !== "asset") throw new Error("the build has no index.html");
        const files = parts(bundle);
        const version = createHash("sha256")
          .update(page.source)
          .update(JSON.stringify(files))
          .digest("hex")
          .slice(0, 12);
        const worker = readFileSync(new URL("./src/worker/sw.js", import.meta.url), "utf8");
        const source = `const build = ${JSON.stringify({ version, ...files })};\n${worker}`;
        this.emitFile({ type: "asset", fileName: "sw.js", source });
      },
    },
  };
}
