// One session of ImapFlow, whole: what it saw goes to standard output as JSON.
import { readFileSync } from 'node:fs';
import { ImapFlow } from 'imapflow';

const given = JSON.parse(readFileSync(0, 'utf8'));

/** A client that is not connected yet, and what the server will have told it, but for literals. */
function client(more) {
  const heard = [];
  const logger = { debug: (entry) => { if (entry.src === 's') heard.push(entry.msg); } };
  for (const level of ['trace', 'info', 'warn', 'error']) logger[level] = () => {};
  const flow = new ImapFlow({
    host: given.host,
    port: given.port,
    secure: given.secure,
    doSTARTTLS: given.secure ? undefined : true,
    auth: { user: given.user, pass: given.password, loginMethod: given.method },
    tls: { ca: readFileSync(given.authority) },
    clientInfo: { name: 'session.mjs', version: '1' },
    disableIMAP4rev2: !given.rev2,
    logger,
    ...more,
  });
  return { flow, heard };
}

/** The next event of this name. */
function event(flow, name) {
  return new Promise((resolve) => flow.once(name, resolve));
}

const plain = (key, value) => {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Set) return [...value].sort();
  if (value instanceof Map) return Object.fromEntries(value);
  if (value?.type === 'Buffer') return Buffer.from(value.data).toString('latin1');
  return value;
};

/** What was seen, as it was at that moment: ImapFlow changes its objects later. */
const seen = new Proxy({}, {
  set(target, name, value) { target[name] = JSON.parse(JSON.stringify(value, plain)); return true; },
});
const { flow, heard } = client({ qresync: true });
await flow.connect();
seen.enabled = [...flow.enabled].sort();
seen.server = flow.serverInfo;
seen.namespace = flow.namespace;
seen.folders = (await flow.list({ statusQuery: { messages: true, unseen: true } })).map((one) => ({
  path: one.path, use: one.specialUse, messages: one.status?.messages,
}));
seen.quota = await flow.getQuota('INBOX');

const mime = readFileSync(given.message);
seen.appended = await flow.append('INBOX', mime, ['\\Flagged', 'work'], new Date('2024-02-01T03:04:05Z'));
for (const word of ['apple', 'bread', 'cheese']) {
  await flow.append('INBOX', `From: Bob <bob@ours.test>\r\nSubject: ${word}\r\n\r\nAll about ${word}.\r\n`);
}
seen.opened = await flow.mailboxOpen('INBOX');
seen.message = await flow.fetchOne('1', {
  flags: true, envelope: true, bodyStructure: true, internalDate: true, size: true, threadId: true, source: true,
  bodyParts: ['1.1'],
});
const download = await flow.download('1', '3');
const chunks = [];
for await (const chunk of download.content) chunks.push(chunk);
seen.attachment = { meta: download.meta, content: Buffer.concat(chunks) };
seen.found = await flow.search({ or: [{ subject: 'ÄPFEL' }, { body: 'about bread' }] }, { uid: true });
seen.counted = await flow.search({ all: true }, { uid: true, returnOptions: ['MIN', 'MAX', 'COUNT'] });
seen.status = await flow.status('INBOX', { messages: true, uidNext: true, unseen: true, highestModseq: true });
await flow.messageFlagsAdd('2', ['\\Seen', '$Forwarded'], { uid: true });
await flow.messageFlagsRemove({ uid: '1' }, ['\\Flagged']);
seen.flags = (await flow.fetchAll('1:2', { flags: true }, { uid: true })).map((one) => [...one.flags].sort());
seen.created = await flow.mailboxCreate(['Rezepte', 'Süßes']);
seen.renamed = await flow.mailboxRename('Rezepte/Süßes', 'Rezepte/Kuchen');
seen.moved = await flow.messageMove('3', 'Rezepte/Kuchen', { uid: true });
seen.copied = await flow.messageCopy('4', 'Archive', { uid: true });
const left = { changedSince: flow.mailbox.highestModseq, uidValidity: flow.mailbox.uidValidity };

// Somebody else changes things while this one waits.
const { flow: other } = client({ disableCompression: true });
await other.connect();
await other.mailboxOpen('INBOX');
const exists = event(flow, 'exists');
const idling = flow.idle();
await other.append('INBOX', 'Subject: dates\r\n\r\nAll about dates.\r\n');
seen.exists = await exists;
const flagged = event(flow, 'flags');
await other.messageFlagsAdd('4', ['\\Answered'], { uid: true });
seen.flagged = await flagged;
const expunged = event(flow, 'expunge');
await other.messageDelete('2', { uid: true });
seen.expunged = await expunged;
await flow.noop();
await idling;
await flow.mailboxClose();

// And comes back to what has changed since (QRESYNC).
const missed = { vanished: [], changed: [] };
flow.on('expunge', (one) => missed.vanished.push(one));
flow.on('flags', (one) => missed.changed.push(one));
seen.reopened = await flow.mailboxOpen('INBOX', left);
seen.missed = missed;
seen.since = await flow.fetchAll('1:*', { flags: true }, { uid: true, changedSince: left.changedSince });
await flow.mailboxDelete('Rezepte/Kuchen');
await flow.logout();
await other.logout();
seen.heard = heard;

console.log(JSON.stringify(seen));
