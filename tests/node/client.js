// A stranger's client: loads proto/, registers, creates an app, sends an error and reads its issue back.
// usage: node client.js HOST:PORT PROTO_DIRECTORY; prints what it read as one line of JSON.

const path = require("node:path");
const { promisify } = require("node:util");
const { randomUUID } = require("node:crypto");
const grpc = require("@grpc/grpc-js");
const protoLoader = require("@grpc/proto-loader");

const DEADLINE_MS = 20_000;
const SERVICES = ["auth_service", "app_service", "event_service", "issue_service", "ledger_service"];

function load(protoDirectory) {
  const files = SERVICES.map((name) => path.join("healthguard", "v1", `${name}.proto`));
  const options = { includeDirs: [protoDirectory], longs: Number, enums: String, defaults: true };
  return grpc.loadPackageDefinition(protoLoader.loadSync(files, options)).healthguard.v1;
}

// One function per RPC: call(request) or call(request, token), resolving to the response.
function connect(Service, target) {
  const client = new Service(target, grpc.credentials.createInsecure());
  return new Proxy(client, {
    get: (_, name) => {
      const method = promisify(client[name].bind(client));
      return (request, token) => {
        const metadata = new grpc.Metadata();
        if (token) metadata.set("authorization", `Bearer ${token}`);
        return method(request, metadata, { deadline: Date.now() + DEADLINE_MS });
      };
    },
  });
}

async function main(target, protoDirectory) {
  const v1 = load(protoDirectory);
  const auth = connect(v1.AuthService, target);
  const apps = connect(v1.AppService, target);
  const events = connect(v1.EventService, target);
  const issues = connect(v1.IssueService, target);

  const account = { email: `${randomUUID()}@example.test`, password: "correct-horse-9" };
  const { token } = await auth.register(account);
  const { app } = await apps.createApp({ name: "From Node", type: "web" }, token);
  const now = Date.now();
  const timestamp = { seconds: Math.floor(now / 1000), nanos: (now % 1000) * 1_000_000 };
  const event = { eventId: randomUUID(), type: "error", timestamp, message: "boom", fingerprint: "js:node", platform: "web" };
  const { accepted } = await events.ingestEvents({ appKey: app.appKey, events: [event] });
  const { totals } = await issues.getOverview({ appKey: app.appKey }, token);
  const read = await issues.getIssue({ id: `${app.appKey}:js:node` }, token);
  const refused = await issues.getIssue({ id: "nonsense" }, token).catch((error) => grpc.status[error.code]);
  console.log(JSON.stringify({ accepted, totals, issue: read.issue, events: read.events, sent: event, refused }));
  process.exit(0);
}

main(process.argv[2], process.argv[3]).catch((error) => {
  console.error(error);
  process.exit(1);
});
