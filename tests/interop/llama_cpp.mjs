// What llama.cpp makes of a GGUF file: llama_cpp.mjs LIBRARY MODEL.gguf QUESTIONS.jsonl
//
// A question is {"ids": [...]}, with "text" beside it to be cut into tokens and "write": N to be written on, greedily.
// Prints for each {"tokens": ids of the text, "logits": [[...] for every id], "written": [...]}, one object a line.
import {readFileSync} from "node:fs";
import {greedy, openLibrary, Writer} from "../../bench/peers/llama_cpp.mjs";

const [libraryFile, modelFile, questionsFile] = process.argv.slice(2);
const library = await openLibrary(libraryFile);
const lines = readFileSync(questionsFile, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line));
const contextTokens = Math.max(...lines.map(({ids, write = 0}) => ids.length + write)) + 1;
const writer = await Writer.open(library, modelFile, {contextTokens});
for (const {ids, text, write = 0} of lines) {
    const answer = {};
    if (text !== undefined) answer.tokens = [...writer.model.tokenize(text, true)];
    const places = await writer.read(ids, ids.map((_, i) => i));
    answer.logits = [];
    for (const place of places) answer.logits.push(await writer.logits(place));
    writer.forget();
    if (write) answer.written = await greedy(writer, ids, write);
    writer.forget();
    console.log(JSON.stringify(answer));
}
await writer.close();
