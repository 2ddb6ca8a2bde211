// What a user does, as functions; test_thunderbird.py calls them inside of Thunderbird.
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");
const LISTENERS = ChromeUtils.generateQI(["nsIUrlListener", "nsIMsgCopyServiceListener"]);
const TLS = Ci.nsMsgSocketType.SSL;
const PASSWORD = Ci.nsMsgAuthMethod.passwordCleartext;

/** Run what takes a listener, and wait until it has come to its end. */
function finished(start) {
  return new Promise((resolve, reject) => {
    const end = (status) => (Components.isSuccessCode(status) ? resolve() : reject(Error(`status ${status}`)));
    start({
      QueryInterface: LISTENERS,
      OnStartRunningUrl() {},
      OnStopRunningUrl(_url, status) { end(status); },
      onStartCopy() {},
      onProgress() {},
      setMessageKey() {},
      getMessageId: () => null,
      onStopCopy: end,
    });
  });
}

function server() {
  return MailServices.accounts.allServers.find((one) => one.type === "imap");
}

function folder(name) {
  return server().rootFolder.getChildNamed(name).QueryInterface(Ci.nsIMsgImapMailFolder);
}

function headers(name, subjects) {
  return [...folder(name).messages].filter((one) => subjects.includes(one.mime2DecodedSubject));
}

async function addAccount(port, user, password) {
  const login = Cc["@mozilla.org/login-manager/loginInfo;1"].createInstance(Ci.nsILoginInfo);
  login.init("imap://localhost", null, "imap://localhost", user, password, "", "");
  await Services.logins.addLoginAsync(login);
  const made = MailServices.accounts.createIncomingServer(user, "localhost", "imap");
  // Folders are not asked for before it has a password; from the store it gets one with the first message.
  Object.assign(made, { port, socketType: TLS, authMethod: PASSWORD, password });
  const account = MailServices.accounts.createAccount();
  const identity = MailServices.accounts.createIdentity();
  identity.email = user;
  account.addIdentity(identity);
  account.incomingServer = made;
}

function discover() {
  server().performExpand(null);
}

function folders() {
  return server().rootFolder.subFolders.map((one) => one.name).sort();
}

async function update(name) {
  await finished((listener) => folder(name).updateFolderWithListener(null, listener));
}

function listed(name) {
  return [...folder(name).messages].map((one) => [
    one.mime2DecodedSubject,
    one.isRead ? "read" : "new",
    one.isFlagged ? "flagged" : "",
    one.getStringProperty("keywords"),
  ].join(" ").trim()).sort();
}

async function download(name) {
  const busy = 0x8055000a; // NS_MSG_FOLDER_BUSY: it is at work there by itself
  for (;;) {
    try {
      await finished((listener) => folder(name).downloadAllForOffline(listener, null));
      return;
    } catch (error) {
      if (error.result !== busy) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function mark(name, subject, keyword) {
  const marked = headers(name, [subject]);
  folder(name).markMessagesRead(marked, true);
  folder(name).markMessagesFlagged(marked, true);
  folder(name).addKeywordsToMessages(marked, keyword);
}

async function transfer(from, subject, to, move) {
  await finished((listener) =>
    MailServices.copy.copyMessages(folder(from), headers(from, [subject]), folder(to), move, listener, null, false));
}

async function remove(name, subject) {
  await finished((listener) => folder(name).deleteMessages(headers(name, [subject]), null, false, false, listener, false));
}

async function file(path, name) {
  const { FileUtils } = ChromeUtils.importESModule("resource://gre/modules/FileUtils.sys.mjs");
  await finished((listener) =>
    MailServices.copy.copyFileMessage(new FileUtils.File(path), folder(name), null, true, 1, "", listener, null));
}

function create(name) {
  server().rootFolder.createSubfolder(name, null);
}
