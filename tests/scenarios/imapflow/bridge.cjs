// Calls methods of one ImapFlow client for the scenario: the first line of JSON in has its options, each further
// one, [number, method, ...arguments], asks for a call; a line out has the outcome of a call or an event.
'use strict';

const readline = require('node:readline');
const { ImapFlow } = require('imapflow');

const EVENTS = ['exists', 'expunge', 'flags', 'close'];

let client;

function plain(value) {
    if (typeof value === 'bigint') return Number(value);
    if (Buffer.isBuffer(value)) return value.toString('latin1');
    if (value instanceof Date) return value.toISOString();
    if (value instanceof Set) return [...value].map(plain).sort();
    if (value instanceof Map) return Object.fromEntries([...value].map(([key, each]) => [key, plain(each)]));
    if (Array.isArray(value)) return value.map(plain);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

function say(value) {
    process.stdout.write(JSON.stringify(plain(value)) + '\n');
}

async function collect(stream) {
    const pieces = [];
    for await (const piece of stream) pieces.push(piece);
    return Buffer.concat(pieces);
}

const OWN_METHODS = {
    download: async (...range) => {
        const { meta, content } = await client.download(...range);
        return { meta, content: await collect(content) };
    },
    appendOctets: (path, octets, ...rest) => client.append(path, Buffer.from(octets, 'latin1'), ...rest),
    session: () => ({
        capabilities: client.capabilities,
        enabled: client.enabled,
        server: client.serverInfo,
        secure: client.secureConnection,
        compressed: Boolean(client._deflate),
    }),
};

function start(options) {
    client = new ImapFlow({ ...options, logger: false });
    client.on('error', error => say(`error: ${error.message}`));
    client.on('response', ({ response }) => response === 'BAD' && say('the server said BAD'));
    for (const event of EVENTS) client.on(event, value => say({ event, value: value ?? null }));
}

async function perform(call, method, ...given) {
    const made = OWN_METHODS[method] ?? client[method].bind(client);
    try {
        say({ call, result: (await made(...given)) ?? null, error: null });
    } catch (error) {
        const { message, responseText, serverResponseCode } = error;
        say({ call, result: null, error: { message, text: responseText, code: serverResponseCode } });
    }
}

readline.createInterface({ input: process.stdin }).on('line', line => {
    const request = JSON.parse(line);
    if (client === undefined) start(request);
    else perform(...request);
});
