// A network between the browser and the server, which counts what goes over it and dies
// when it is told to: the browser's own "offline" does not reach a service worker.
import { createServer, request } from "node:http";

/** Starts it in front of `target`. Everything goes compressed by gzip, as it is counted. */
export async function between(target) {
  const { hostname, port } = new URL(target);
  const network = { dead: false, bytes: 0, files: [], changed: new Map(), url: "", close: () => {} };
  const open = new Set();
  const server = createServer((asked, answer) => {
    if (network.dead) return asked.socket.destroy();
    const change = network.changed.get(asked.url);
    const headers = { ...asked.headers, "accept-encoding": change ? "identity" : "gzip" };
    // What is changed on the way is never what the browser has already.
    if (change) delete headers["if-modified-since"];
    const onward = request({ hostname, port, path: asked.url, method: asked.method, headers }, (said) => {
      const file = { path: asked.url, type: said.headers["content-type"] ?? "", bytes: 0 };
      network.files.push(file);
      if (change) return changed(said, answer, change);
      answer.writeHead(said.statusCode, said.headers);
      // Status line and headers go over the network, too.
      network.bytes += 20 + said.rawHeaders.join("  ").length;
      said.on("data", (part) => {
        file.bytes += part.length;
        network.bytes += part.length;
      });
      said.pipe(answer);
    });
    onward.on("error", () => asked.socket.destroy());
    answer.on("close", () => onward.destroy());
    asked.pipe(onward);
  });
  server.on("connection", (socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.on("error", () => {});
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  network.url = `http://127.0.0.1:${server.address().port}`;
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  /** Nothing gets through any more, whatever the phone says of its network. */
  network.die = () => {
    network.dead = true;
    cut();
  };
  network.revive = () => {
    network.dead = false;
  };
  network.close = () => {
    cut();
    server.close();
  };
  return network;
}

async function changed(said, answer, change) {
  const parts = [];
  for await (const part of said) parts.push(part);
  const text = change(Buffer.concat(parts).toString());
  const headers = { ...said.headers, "content-length": Buffer.byteLength(text) };
  answer.writeHead(said.statusCode, headers).end(text);
}
