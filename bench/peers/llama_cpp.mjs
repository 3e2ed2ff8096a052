// llama.cpp in this process, through the library that scripts/llama-cpp-env fetches: what tests/interop and the benches
// share. Loads a GGUF file with llama.cpp's own loader, reads tokens, gives logits and the likeliest next token.
import {createRequire} from "node:module";
import path from "node:path";

/** The library; `file` is what scripts/llama-cpp-env prints. */
export async function openLibrary(file) {
    const library = createRequire(import.meta.url)(path.resolve(file));
    library.setLogger((level, message) => { if (level <= 2) process.stderr.write(message); });
    library.setLoggerLogLevel(2);  // errors and warnings' worth only
    library.loadBackends(path.dirname(path.resolve(file)));
    await library.init();
    return library;
}

/** One model and one sequence on it, or several. */
export class Writer {
    static async open(library, modelFile, {threads = 0, contextTokens = 1024, sequences = 1} = {}) {
        const model = new library.AddonModel(modelFile, {addonExports: library, gpuLayers: 0, useMmap: true});
        if (!await model.init()) throw new Error(`llama.cpp does not load ${modelFile}`);
        const context = new library.AddonContext(model, {
            contextSize: contextTokens, batchSize: contextTokens, sequences, flashAttention: "auto",
            threads: threads || library.getMathCores()});
        if (!await context.init()) throw new Error(`llama.cpp has no memory for ${contextTokens} tokens`);
        const sampler = new library.AddonSampler(model);
        sampler.applyConfig({temperature: 0});
        return new Writer(model, context, sampler);
    }

    constructor(model, context, sampler) {
        Object.assign(this, {model, context, sampler, length: 0});
    }

    /** Reads tokens behind those read before; answers of the tokens whose places are in `wanted`. */
    async read(tokens, wanted) {
        this.context.initBatch(tokens.length);
        const places = this.context.addToBatch(0, this.length, Uint32Array.from(tokens), Uint32Array.from(wanted));
        await this.context.decodeBatch();
        this.length += tokens.length;
        return [...places];
    }

    /** Reads one token more of each sequence, all behind as many tokens; the likeliest next of each. */
    async step(tokens, length) {
        this.context.initBatch(tokens.length);
        const places = tokens.map((token, i) => this.context.addToBatch(i, length, Uint32Array.of(token), Uint32Array.of(0))[0]);
        await this.context.decodeBatch();
        const next = [];
        for (const place of places) next.push(await this.best(place));
        return next;
    }

    /** The likeliest token behind the text that every sequence begins with. */
    async begin(text, sequences) {
        const next = [];
        for (let i = 0; i < sequences; ++i) {
            this.context.disposeSequence(i);
            this.context.initBatch(text.length);
            const places = this.context.addToBatch(i, 0, Uint32Array.from(text), Uint32Array.of(text.length - 1));
            await this.context.decodeBatch();
            next.push(await this.best(places[0]));
        }
        return next;
    }

    /** The likeliest token behind a place that read() gave. */
    async best(place) {
        return await this.context.sampleToken(place, this.sampler);
    }

    /** All logits there, by token id. */
    async logits(place) {
        const answer = await this.context.sampleToken(place, this.sampler, false, false, true, false);
        const logits = [];
        for (let i = 0; i < answer[3].length; i += 2) logits[answer[3][i]] = answer[3][i + 1];
        return logits;
    }

    forget() {
        this.context.disposeSequence(0);
        this.length = 0;
    }

    async close() {
        await this.context.dispose();
        await this.model.dispose();
    }
}

/** Tokens until the model ends its text, `most` of them at most. */
export async function greedy(writer, prompt, most) {
    const written = [];
    let next = await writer.best((await writer.read(prompt, [prompt.length - 1]))[0]);
    while (written.length < most && !writer.model.isEogToken(next)) {
        written.push(next);
        if (written.length < most) next = await writer.best((await writer.read([next], [0]))[0]);
    }
    return written;
}
