// The unmodified OpenAI SDK for Node against a running Rootstock server: the twin of openai_sdk.py.
//
//     node openai_sdk.mjs BASE_URL KEY ENCODER TRAINING_FILE [LANGUAGE_MODEL]
import assert from 'node:assert/strict';
import fs from 'node:fs';
import OpenAI, { toFile } from 'openai';

const [baseURL, apiKey, encoder, rows, writer] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey });
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function until(ask, over, seconds) {
  for (let i = 0; i < seconds * 5; ++i) {
    const found = await ask();
    if (over(found)) return found;
    await pause(200);
  }
  throw new Error(`not over after ${seconds} s`);
}

async function all(page) {
  const found = [];
  for await (const item of page) found.push(item);
  return found;
}

const parts = {
  async models() {
    const names = (await all(client.models.list())).map((model) => model.id);
    assert(names.includes(encoder), names.join());
    assert.equal((await client.models.retrieve(encoder)).object, 'model');
  },

  async embeddings() {
    const answer = await client.embeddings.create({ model: encoder, input: ['where is my card?', 'my card is lost'] });
    assert.equal(answer.data.length, 2);
    const length = answer.data[0].embedding.reduce((sum, x) => sum + x * x, 0);
    assert(Math.abs(length - 1) < 1e-3, String(length));
  },

  async errors() {
    await assert.rejects(client.embeddings.create({ model: 'nosuch', input: 'x' }), (error) => {
      assert(error instanceof OpenAI.NotFoundError);
      assert.equal(error.code, 'model_not_found');
      assert.match(error.requestID, /^req_/);
      return true;
    });
    await assert.rejects(client.embeddings.create({ model: encoder, input: [] }), OpenAI.BadRequestError);
    await assert.rejects(all(new OpenAI({ baseURL, apiKey: 'sk-wrong' }).models.list()), OpenAI.AuthenticationError);
    await assert.rejects(client.files.retrieve('file-nosuch'), OpenAI.NotFoundError);
  },

  async retries() {
    const patient = new OpenAI({ baseURL, apiKey, maxRetries: 5 });
    const asked = Array.from({ length: 64 }, (_, i) =>
      patient.embeddings.create({ model: encoder, input: Array(16).fill(`text ${i}`) }));
    assert.equal((await Promise.all(asked)).length, 64);
  },

  async files() {
    const data = '{"text": "x", "label": "a"}\n';
    const file = await client.files.create({ file: await toFile(Buffer.from(data), 'rows "1".jsonl'), purpose: 'fine-tune' });
    assert.equal(file.filename, 'rows "1".jsonl');
    assert.equal(await (await client.files.content(file.id)).text(), data);
    assert((await all(client.files.list({ purpose: 'fine-tune' }))).some((found) => found.id === file.id));
    assert((await client.files.delete(file.id)).deleted);
    await assert.rejects(client.files.retrieve(file.id), OpenAI.NotFoundError);
  },

  async uploads() {
    const data = Buffer.from('{"text": "x", "label": "a"}\n'.repeat(1000));
    const upload = await client.uploads.create({ bytes: data.length, filename: 'b.jsonl', mime_type: 'text/jsonl', purpose: 'fine-tune' });
    const part = await client.uploads.parts.create(upload.id, { data: await toFile(data, 'part') });
    const done = await client.uploads.complete(upload.id, { part_ids: [part.id] });
    assert.equal(done.file.bytes, data.length);
    await client.files.delete(done.file.id);
  },

  async fine_tuning() {
    const training = await client.files.create({ file: fs.createReadStream(rows), purpose: 'fine-tune' });
    let job = await client.fineTuning.jobs.create({
      model: encoder, training_file: training.id, suffix: 'node', seed: 1, hyperparameters: { n_epochs: 1 } });
    job = await until(() => client.fineTuning.jobs.retrieve(job.id), (found) => ['succeeded', 'failed'].includes(found.status), 600);
    assert.equal(job.status, 'succeeded', JSON.stringify(job.error));
    const events = await all(client.fineTuning.jobs.listEvents(job.id, { limit: 50 }));
    assert(events.some((event) => event.data && 'train_loss' in event.data));
    const checkpoints = await all(client.fineTuning.jobs.checkpoints.list(job.id));
    assert.equal(checkpoints[0].fine_tuned_model_checkpoint, job.fine_tuned_model);
    const answer = await client.post('/classify', { body: { model: job.fine_tuned_model, input: 'where is my card?' } });
    assert.equal(answer.model, job.fine_tuned_model);
    this.model = job.fine_tuned_model;
  },

  async batches() {
    const lines = Array.from({ length: 20 }, (_, i) => JSON.stringify(
      { custom_id: `row-${i}`, method: 'POST', url: '/v1/classify', body: { model: this.model, input: `text ${i}` } }));
    const file = await client.files.create({ file: await toFile(Buffer.from(lines.join('\n')), 'batch.jsonl'), purpose: 'batch' });
    let batch = await client.batches.create({ input_file_id: file.id, endpoint: '/v1/classify', completion_window: '24h' });
    batch = await until(() => client.batches.retrieve(batch.id), (found) => ['completed', 'failed'].includes(found.status), 120);
    assert.equal(batch.request_counts.completed, 20, JSON.stringify(batch));
    const answers = (await (await client.files.content(batch.output_file_id)).text()).trim().split('\n');
    assert.equal(answers.length, 20);
  },

  async clean_up() {
    assert((await client.models.delete(this.model)).deleted);
    await assert.rejects(client.models.retrieve(this.model), OpenAI.NotFoundError);
  },
};

const chat = {
  async chat() {
    const messages = [{ role: 'user', content: 'What is the capital of France?' }];
    const order = { model: writer, messages, max_tokens: 24, temperature: 0 };
    const answer = await client.chat.completions.create(order);
    const text = answer.choices[0].message.content;
    assert(text.includes('Paris'), text);
    let streamed = '', usage = null;
    for await (const piece of await client.chat.completions.create({ ...order, stream: true, stream_options: { include_usage: true } })) {
      streamed += piece.choices[0]?.delta?.content ?? '';
      usage = piece.usage ?? usage;
    }
    assert.equal(streamed, text);
    assert.equal(usage.total_tokens, answer.usage.total_tokens);
  },

  async json_schema() {
    const schema = { type: 'object', properties: { city: { type: 'string', maxLength: 20 } }, required: ['city'], additionalProperties: false };
    const answer = await client.chat.completions.create({
      model: writer, messages: [{ role: 'user', content: 'Name a city, as JSON.' }], max_tokens: 60, temperature: 0,
      response_format: { type: 'json_schema', json_schema: { name: 'city', strict: true, schema } } });
    assert.equal(typeof JSON.parse(answer.choices[0].message.content).city, 'string');
  },
};

for (const [name, part] of Object.entries({ ...(writer ? chat : {}), ...parts })) {
  await part.call(parts);
  console.log(name, 'ok');
}
