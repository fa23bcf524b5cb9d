// An SMS centre for the tests: the npm package smpp as server, told what to do by JSON lines on standard input, telling what it sees
// by JSON lines on standard output. It encodes and decodes texts by itself.
'use strict';

const readline = require('readline');
const smpp = require(process.argv[2]);

const tell = (event, more) => process.stdout.write(JSON.stringify({ event, ...more }) + '\n');
const octets = (hex) => Buffer.from(hex, 'hex');
const plan = { bind: 0, submit: [], hold: false, ids: [] };
let bound = null;
let count = 0;

const server = smpp.createServer((session) => {
  session.on('error', () => session.destroy());
  session.on('close', () => tell('closed'));
  session.on('bind_transceiver', (pdu) => {
    const status = pdu.password === 'secret' ? plan.bind : smpp.ESME_RINVPASWD;
    session.send(pdu.response({ command_status: status, system_id: 'centre' }));
    if (status) return;
    bound = session;
    tell('bound', { system_id: pdu.system_id, version: pdu.interface_version });
  });
  session.on('enquire_link', (pdu) => {
    session.send(pdu.response());
    tell('enquired');
  });
  session.on('unbind', (pdu) => {
    tell('unbind');
    session.send(pdu.response(), () => session.close());
  });
  session.on('submit_sm', (pdu) => {
    const status = plan.submit.length ? plan.submit.shift() : 0;
    const id = plan.ids.length ? plan.ids.shift() : `m${++count}`;
    const said = pdu.message_payload || pdu.short_message;
    tell('submit', {
      id,
      status,
      from: pdu.source_addr,
      from_ton: pdu.source_addr_ton,
      to: pdu.destination_addr,
      to_ton: pdu.dest_addr_ton,
      text: said.message,
      udh: said.udh ? Buffer.concat(said.udh).toString('hex') : '',
      whole: Boolean(pdu.message_payload),
      coding: pdu.data_coding,
      esm_class: pdu.esm_class,
      receipt: pdu.registered_delivery,
      operation: pdu.ussd_service_op,
      info: pdu.its_session_info ? pdu.its_session_info.toString('hex') : '',
    });
    if (!plan.hold) session.send(pdu.response(status ? { command_status: status } : { message_id: id }));
  });
});

const commands = {
  plan: (order) => Object.assign(plan, order),
  enquire: () => bound.enquire_link(() => tell('alive')),
  drop: () => bound.destroy(),
  unbind: () => bound.unbind(() => bound.close()),
  deliver: ({ tag, pdu, udh, octets: raw, info, payload }) => {
    const message = raw === undefined ? pdu.short_message : octets(raw);
    const options = { ...pdu, short_message: udh ? { message, udh: octets(udh) } : message };
    if (info) options.its_session_info = octets(info);
    if (payload) {
      options.message_payload = octets(payload);
      options.short_message = '';
    }
    const sent = bound.deliver_sm(options, (answer) => tell('delivered', { tag, status: answer.command_status }));
    if (!sent) tell('lost', { tag });
  },
};

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const order = JSON.parse(line);
  commands[order.do](order);
}).on('close', () => process.exit(0));

server.listen(0, '127.0.0.1', () => tell('listening', { port: server.address().port }));
