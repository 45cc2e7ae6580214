// Runs in the network of a VM or another host of the lab: answers packets and sends them.
//
//   node agent.mjs NAME [PORT...]    listens on each PORT, TCP and UDP; requests are JSON lines on stdin
//
// Whoever asks is told who answered and which source address was seen: over TCP as an HTTP answer (so curl works
// too), over UDP as a datagram. Plain JavaScript, because it also runs where there has been no build.

import { createSocket } from 'node:dgram'
import { connect, createServer } from 'node:net'
import { createInterface } from 'node:readline'

const [name, ...ports] = process.argv.slice(2)
const resendAfter = 200
const held = new Map()

const whys = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EADDRNOTAVAIL: 'no-such-source',
}

function sighting(source) {
  return `${JSON.stringify({ source: source.replace(/^::ffff:/, ''), by: name })}\n`
}

function answerTcp(socket) {
  const body = sighting(socket.remoteAddress ?? '')
  const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
  let asked = ''
  socket.setEncoding('latin1')
  socket.on('error', () => socket.destroy())
  socket.on('data', (data) => {
    asked += data
    while (asked.includes('\r\n\r\n')) {
      asked = asked.slice(asked.indexOf('\r\n\r\n') + 4)
      socket.write(head + body)
    }
  })
}

function listen(port) {
  const udp = createSocket('udp4')
  udp.on('message', (_, { address, port: to }) => udp.send(sighting(address), to, address))
  udp.on('error', () => {})
  return Promise.all([
    new Promise((resolve, reject) => createServer(answerTcp).on('error', reject).listen(port, '0.0.0.0', resolve)),
    new Promise((resolve) => udp.bind(port, '0.0.0.0', resolve)),
  ])
}

/** Sends one request over the connection and settles when the answer is whole. */
function ask(socket, timeout) {
  return new Promise((resolve) => {
    let answer = ''
    const timer = setTimeout(() => finish({ reached: false, why: 'timeout' }), timeout)
    function finish(result) {
      clearTimeout(timer)
      socket.off('data', read).off('error', fail).off('close', close)
      resolve(result)
    }
    function read(data) {
      answer += data
      if (!answer.startsWith('HTTP/1.1 '.slice(0, answer.length))) return finish({ reached: false, why: 'stranger' })
      const body = answer.split('\r\n\r\n')[1]
      if (!body?.endsWith('\n')) return
      try {
        finish({ reached: true, ...JSON.parse(body) })
      } catch {
        finish({ reached: false, why: 'stranger' })
      }
    }
    function fail(error) {
      finish({ reached: false, why: whys[error.code] ?? error.code ?? error.message })
    }
    function close() {
      finish({ reached: false, why: 'reset' })
    }
    socket.on('data', read).on('error', fail).on('close', close)
    socket.write(`GET / HTTP/1.1\r\nHost: ${socket.remoteAddress ?? 'lab'}\r\n\r\n`)
  })
}

function open({ to, port, from }) {
  const socket = connect({ host: to, port, ...(from ? { localAddress: from } : {}) })
  socket.setEncoding('latin1')
  socket.setNoDelay(true)
  return socket
}

async function tcp(request) {
  const socket = open(request)
  const result = await ask(socket, request.timeout)
  socket.on('error', () => {})
  socket.destroy()
  return result
}

async function hold(request) {
  const socket = open(request)
  const result = await ask(socket, request.timeout)
  socket.on('error', () => {})
  if (result.reached) held.set(request.id, socket)
  else socket.destroy()
  return result
}

async function again({ handle, timeout }) {
  const socket = held.get(handle)
  return socket && !socket.destroyed ? await ask(socket, timeout) : { reached: false, why: 'reset' }
}

function release({ handle }) {
  held.get(handle)?.destroy()
  held.delete(handle)
  return {}
}

function udp({ to, port, from, timeout }) {
  return new Promise((resolve) => {
    const socket = createSocket('udp4')
    const send = () => socket.send('?')
    let resend
    const timer = setTimeout(() => finish({ reached: false, why: 'timeout' }), timeout)
    function finish(result) {
      clearTimeout(timer)
      clearInterval(resend)
      socket.removeAllListeners().on('error', () => {})
      socket.close()
      resolve(result)
    }
    socket.on('message', (message) => finish({ reached: true, ...JSON.parse(message.toString()) }))
    socket.on('error', (error) => finish({ reached: false, why: whys[error.code] ?? error.code ?? error.message }))
    socket.on('connect', () => {
      send()
      resend = setInterval(send, resendAfter)
    })
    socket.bind({ port: 0, ...(from ? { address: from } : {}) }, () => socket.connect(port, to))
  })
}

// A stream never gets an answer: to the nodes between, each of its packets is the first of a new flow.
const floods = new Map()
const sunk = new Map()

function sink({ port }) {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 8_388_608 })
  socket.on('message', (message) => {
    const stream = message.toString('latin1')
    sunk.set(stream, (sunk.get(stream) ?? 0) + 1)
  })
  return new Promise((resolve) => socket.bind(port, '0.0.0.0', () => resolve({})))
}

function flood({ to, port, rate, stream }) {
  const socket = createSocket('udp4')
  const flow = { socket, sent: 0, failed: 0 }
  socket.on('error', () => {})
  return new Promise((resolve) =>
    socket.connect(port, to, () => {
      const began = performance.now()
      const send = () => {
        for (const due = ((performance.now() - began) / 1000) * rate; flow.sent < due; flow.sent += 1) {
          socket.send(stream, (error) => {
            if (error) flow.failed += 1
          })
        }
      }
      flow.timer = setInterval(send, 4)
      floods.set(stream, flow)
      resolve({})
    }),
  )
}

function halt({ stream }) {
  const flow = floods.get(stream)
  floods.delete(stream)
  clearInterval(flow.timer)
  return new Promise((resolve) =>
    setImmediate(() => flow.socket.close(() => resolve({ count: flow.sent - flow.failed }))),
  )
}

function count({ stream }) {
  return { count: sunk.get(stream) ?? 0 }
}

const actions = { tcp, udp, hold, again, release, sink, flood, halt, count }

async function serve(line) {
  const request = JSON.parse(line)
  const result = await actions[request.action](request)
  process.stdout.write(`${JSON.stringify({ id: request.id, ...result })}\n`)
}

await Promise.all(ports.map((port) => listen(Number(port))))
process.stdout.write('{"id":0}\n')
createInterface({ input: process.stdin })
  .on('line', serve)
  .on('close', () => process.exit(0))
