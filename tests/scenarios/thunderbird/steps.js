// What a person does at Thunderbird, in steps that the scenario calls by name; run with its own rights.

const { MailServices } = ChromeUtils.importESModule('resource:///modules/MailServices.sys.mjs');

const WAIT_MS = 20000;
const PAUSE_MS = 20;
const LISTENERS = ['nsIUrlListener', 'nsIMsgCopyServiceListener', 'nsIMsgSendListener'];
const SSL = 3;
const PASSWORD_CLEARTEXT = 3;

async function until(condition, what) {
    const deadline = Date.now() + WAIT_MS;
    for (;;) {
        const found = condition();
        if (found) return found;
        if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
        await new Promise(resolve => setTimeout(resolve, PAUSE_MS));
    }
}

const settling = (resolve, reject) => status => {
    if (Components.isSuccessCode(status)) resolve();
    else reject(new Error(`status 0x${status.toString(16)}`));
};

function outcome(begin) {
    return new Promise((resolve, reject) => {
        const settle = settling(resolve, reject);
        begin({
            QueryInterface: ChromeUtils.generateQI(LISTENERS),
            OnStartRunningUrl() {},
            OnStopRunningUrl: (url, status) => settle(status),
            onStartCopy() {},
            onProgress() {},
            setMessageKey() {},
            getMessageId: () => null,
            onStopCopy: settle,
            onStartSending() {},
            onSendProgress() {},
            onStatus() {},
            onStopSending: (id, status) => settle(status),
            onTransportSecurityError() {},
            onGetDraftFolderURI() {},
        });
    });
}

async function trust(port, certificate, origin, login, password) {
    const database = Cc['@mozilla.org/security/x509certdb;1'].getService(Ci.nsIX509CertDB);
    const exceptions = Cc['@mozilla.org/security/certoverride;1'].getService(Ci.nsICertOverrideService);
    const trusted = database.constructX509FromBase64(certificate);
    exceptions.rememberValidityOverride('127.0.0.1', port, {}, trusted, false);
    const entry = Cc['@mozilla.org/login-manager/loginInfo;1'].createInstance(Ci.nsILoginInfo);
    entry.init(origin, null, origin, login, password, '', '');
    await Services.logins.addLoginAsync(entry);
}

function fileAt(path) {
    const file = Cc['@mozilla.org/file/local;1'].createInstance(Ci.nsIFile);
    file.initWithPath(path);
    return file;
}

function server() {
    return MailServices.accounts.defaultAccount.incomingServer.QueryInterface(Ci.nsIImapIncomingServer);
}

function folders() {
    return server().rootFolder.descendants.map(folder => folder.QueryInterface(Ci.nsIMsgImapMailFolder));
}

const find = path => folders().find(folder => folder.onlineName === path);
const folderAt = path => until(() => find(path), `the folder ${path}`);

function headers(folder) {
    return [...folder.messages].map(each => each.QueryInterface(Ci.nsIMsgDBHdr));
}

function withSubject(folder, subject) {
    const found = () => headers(folder).find(header => header.mime2DecodedSubject === subject);
    return until(found, `a message about ${subject}`);
}

const described = header => ({
    subject: header.mime2DecodedSubject,
    author: header.mime2DecodedAuthor,
    read: header.isRead,
    flagged: header.isFlagged,
    answered: Boolean(header.flags & Ci.nsMsgMessageFlags.Replied),
    kept: Boolean(header.flags & Ci.nsMsgMessageFlags.Offline),
    tags: header.getStringProperty('keywords').split(' ').filter(Boolean).sort(),
});

const steps = {
    async addAccount({ login, password, port, certificate }) {
        await trust(port, certificate, 'imap://127.0.0.1', login, password);
        const incoming = MailServices.accounts.createIncomingServer(login, '127.0.0.1', 'imap');
        incoming.port = port;
        incoming.socketType = SSL;
        incoming.authMethod = PASSWORD_CLEARTEXT;
        const account = MailServices.accounts.createAccount();
        account.incomingServer = incoming;
        const identity = MailServices.accounts.createIdentity();
        identity.email = login;
        account.addIdentity(identity);
        MailServices.accounts.defaultAccount = account;
        server().useCondStore = true;
    },

    async getMail() {
        const inbox = await folderAt('INBOX');
        await outcome(listener => inbox.getNewMessages(null, listener));
    },

    async folders() {
        return folders().map(folder => folder.onlineName).sort();
    },

    async messages(path) {
        return headers(await folderAt(path)).map(described);
    },

    async waitFor(path, subject, state) {
        const folder = await folderAt(path);
        const wanted = Object.entries({ subject, ...state });
        const fits = header => wanted.every(([key, value]) => described(header)[key] === value);
        const arrived = () => headers(folder).find(fits);
        return described(await until(arrived, `${subject} with ${JSON.stringify(state)}`));
    },

    async waitUntilGone(path, subject) {
        const folder = await folderAt(path);
        const gone = () => headers(folder).every(header => header.mime2DecodedSubject !== subject);
        await until(gone, `the end of ${subject}`);
    },

    async open(path) {
        const folder = await folderAt(path);
        await outcome(listener => folder.updateFolderWithListener(null, listener));
    },

    async source(path, subject) {
        const folder = await folderAt(path);
        const uri = folder.getUriForMsg(await withSubject(folder, subject));
        let source = '';
        const input = Cc['@mozilla.org/scriptableinputstream;1'].createInstance(Ci.nsIScriptableInputStream);
        await new Promise((resolve, reject) => {
            const listener = {
                QueryInterface: ChromeUtils.generateQI(['nsIStreamListener']),
                onStartRequest() {},
                onStopRequest: (request, status) => settling(resolve, reject)(status),
                onDataAvailable(request, stream, offset, count) {
                    input.init(stream);
                    source += input.readBytes(count);
                },
            };
            MailServices.messageServiceFromURI(uri).streamMessage(uri, listener, null, null, false, '', false);
        });
        return source;
    },

    async mark(path, subject, { read, flagged, tag }) {
        const folder = await folderAt(path);
        const chosen = [await withSubject(folder, subject)];
        if (read !== undefined) folder.markMessagesRead(chosen, read);
        if (flagged !== undefined) folder.markMessagesFlagged(chosen, flagged);
        if (tag !== undefined) folder.addKeywordsToMessages(chosen, tag);
    },

    async createFolder(parent, name) {
        const above = parent === '' ? server().rootFolder : await folderAt(parent);
        above.createSubfolder(name, null);
        await folderAt(parent === '' ? name : `${parent}/${name}`);
    },

    async copy(path, subject, target, move) {
        const [folder, destination] = [await folderAt(path), await folderAt(target)];
        const chosen = [await withSubject(folder, subject)];
        await outcome(listener =>
            MailServices.copy.copyMessages(folder, chosen, destination, move, listener, null, false)
        );
    },

    async remove(path, subject) {
        const folder = await folderAt(path);
        const chosen = [await withSubject(folder, subject)];
        await outcome(listener => folder.deleteMessages(chosen, null, false, false, listener, false));
    },

    async store(path, file) {
        const folder = await folderAt(path);
        const [source, read] = [fileAt(file), Ci.nsMsgMessageFlags.Read];
        await outcome(listener =>
            MailServices.copy.copyFileMessage(source, folder, null, false, read, '', listener, null)
        );
    },

    async send({ login, password, port, certificate, to, file }) {
        await trust(port, certificate, 'smtp://127.0.0.1', login, password);
        const outgoing = MailServices.outgoingServer.createServer('smtp').QueryInterface(Ci.nsISmtpServer);
        outgoing.hostname = '127.0.0.1';
        outgoing.port = port;
        outgoing.socketType = SSL;
        outgoing.authMethod = PASSWORD_CLEARTEXT;
        outgoing.username = login;
        const account = MailServices.accounts.defaultAccount;
        account.defaultIdentity.smtpServerKey = outgoing.key;
        account.defaultIdentity.doFcc = false;
        const fields = Cc['@mozilla.org/messengercompose/composefields;1'].createInstance(Ci.nsIMsgCompFields);
        fields.from = login;
        fields.to = to;
        const sender = Cc['@mozilla.org/messengercompose/send;1'].createInstance(Ci.nsIMsgSend);
        await outcome(listener =>
            sender.sendMessageFile(
                ...[account.defaultIdentity, account.key, fields, fileAt(file), false, false],
                ...[Ci.nsIMsgCompDeliverMode.Now, null, listener, null, '']
            )
        );
    },

    async search(path, attribute, text) {
        const session = Cc['@mozilla.org/messenger/searchSession;1'].createInstance(Ci.nsIMsgSearchSession);
        session.addScopeTerm(Ci.nsMsgSearchScope.onlineMail, await folderAt(path));
        const term = session.createTerm();
        const value = term.value;
        term.attrib = value.attrib = Ci.nsMsgSearchAttrib[attribute];
        term.op = Ci.nsMsgSearchOp.Contains;
        value.str = text;
        term.value = value;
        session.appendTerm(term);
        const found = [];
        await new Promise(resolve => {
            session.registerListener({
                onNewSearch() {},
                onSearchHit: header => found.push(header.mime2DecodedSubject),
                onSearchDone: resolve,
            });
            session.search(null);
        });
        return found.sort();
    },

    async quota(path) {
        const folder = await folderAt(path);
        return until(() => folder.getQuota().length && folder.getQuota(), 'the quota').then(all =>
            all.map(({ name, usage, limit }) => [name, usage, limit])
        );
    },
};
