// What bench/decoder_bench.cpp measures, with llama.cpp on the CPU:
//
//   node bench/peers/llama_cpp_peer.mjs --library FILE --model FILE.gguf [--threads N] [--prompt 256] [--write 64]
//        [--streams 32] [--rounds N]
//
// FILE is what scripts/llama-cpp-env prints. The same ids are read and the likeliest token is written on, one at a time;
// medians of several rounds behind one that is not counted. Prints one JSON object a line, as decoder_bench does. A
// token comes through Node's binding, which costs it some hundredths of a millisecond.
import {parseArgs} from "node:util";
import {openLibrary, Writer} from "./llama_cpp.mjs";

const number = (text) => Number.parseInt(text, 10);
const {values} = parseArgs({options: {
    library: {type: "string"}, model: {type: "string"}, threads: {type: "string", default: "0"},
    prompt: {type: "string", default: "256"}, write: {type: "string", default: "64"}, rounds: {type: "string", default: "5"},
    streams: {type: "string", default: "32"}}});
const [prompt, write, rounds, streams] = [values.prompt, values.write, values.rounds, values.streams].map(number);
const ids = Array.from({length: prompt}, (_, i) => (7 * i + 11) % 1000);
const median = (times) => times.toSorted((a, b) => a - b)[times.length >> 1];
const say = (name, rate) => console.log(JSON.stringify({bench: "llama.cpp", name, value: rate, unit: "tokens/s"}));

const library = await openLibrary(values.library);
const writer = await Writer.open(library, values.model, {threads: number(values.threads), contextTokens: prompt + write + 1});
console.error(`${library.systemInfo().trim()}, ${writer.context.getThreads()} threads`);
const reads = [], writes = [];
for (let i = 0; i <= rounds; ++i) {
    writer.forget();
    const begin = performance.now();
    let next = await writer.best((await writer.read(ids, [prompt - 1]))[0]);
    const read = performance.now();
    for (let step = 0; step < write; ++step) next = await writer.best((await writer.read([next], [0]))[0]);
    const end = performance.now();
    if (i === 0) continue;
    reads.push((read - begin) / 1000);
    writes.push((end - read) / 1000);
}
say(`prompt of ${prompt}`, prompt / median(reads));
say(`one stream of ${write}`, write / median(writes));
await writer.close();

if (streams > 1) {
    const many = await Writer.open(library, values.model, {
        threads: number(values.threads), contextTokens: streams * (prompt + write + 1), sequences: streams});
    const steps = [];
    for (let i = 0; i <= rounds; ++i) {
        let next = await many.begin(ids, streams);
        const begin = performance.now();
        for (let step = 0; step < write; ++step) next = await many.step(next, prompt + step);
        if (i > 0) steps.push((performance.now() - begin) / 1000);
    }
    say(`${streams} streams of ${write}`, streams * write / median(steps));
    await many.close();
}
