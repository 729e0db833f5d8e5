// MinIO's client for JavaScript.
import assert from 'node:assert'
import * as minio from 'minio'

const endpoint = new URL(process.env.ENDPOINT)
const client = new minio.Client({ endPoint: endpoint.hostname, port: Number(endpoint.port), useSSL: false, accessKey: process.env.KEY, secretKey: process.env.SECRET, region: 'us-east-1' })
const bucket = 'minio-js'
const big = Buffer.alloc((70 << 20) + 3, 'daypass')
const collect = async stream => { const pieces = []; for await (const piece of stream) pieces.push(piece); return pieces }
const read = async (key, ...range) => Buffer.concat(await collect(range.length ? await client.getPartialObject(bucket, key, ...range) : await client.getObject(bucket, key)))

const checks = {
  async objects() {
    await client.putObject(bucket, 'small', 'hello', 5, { 'Content-Type': 'text/x', 'X-Amz-Meta-Colour': 'blue' })
    const stat = await client.statObject(bucket, 'small')
    assert.deepEqual([stat.size, stat.metaData['content-type'], stat.metaData.colour], [5, 'text/x', 'blue'])
    assert.equal(await read('small', 1, 3), 'ell')
  },
  async multipart() {
    await client.putObject(bucket, 'big', big, big.length)
    assert((await read('big')).equals(big))
  },
  async copies() {
    await client.copyObject(bucket, 'copy', `/${bucket}/small`)
    assert.equal(await read('copy'), 'hello')
  },
  async presigned() {
    assert.equal((await fetch(await client.presignedPutObject(bucket, 'by url', 60), { method: 'PUT', body: 'hello' })).status, 200)
    assert.equal(await (await fetch(await client.presignedGetObject(bucket, 'by url', 60))).text(), 'hello')
  },
  async form() {
    const policy = client.newPostPolicy()
    policy.setBucket(bucket); policy.setKey('by form'); policy.setExpires(new Date(Date.now() + 60000)); policy.setContentType('text/x')
    const { postURL, formData } = await client.presignedPostPolicy(policy)
    const form = new FormData()
    for (const [name, value] of Object.entries(formData)) form.append(name, value)
    form.append('file', new Blob(['hello']), 'f.txt')
    assert.equal((await fetch(postURL, { method: 'POST', body: form })).status, 204)
    assert.equal(await read('by form'), 'hello')
  },
  async odd_keys() {
    const keys = ['a b+c', '100%', 'ä/ö ü', 'q?x=1&y=2', '#hash', "quote'\"", '<tag>&amp;', '日本語']
    for (const key of keys) { await client.putObject(bucket, `odd/${key}`, key); assert.equal(await read(`odd/${key}`), key) }
    const listed = (await collect(client.listObjectsV2(bucket, 'odd/', true))).map(item => item.name)
    assert.deepEqual(listed.sort(), keys.map(key => `odd/${key}`).sort())
    await client.removeObjects(bucket, listed)
    assert.equal((await collect(client.listObjectsV2(bucket, 'odd/', true))).length, 0)
  }
}
await client.makeBucket(bucket, 'us-east-1')
for (const [name, run] of Object.entries(checks)) {
  try { await run(); console.log(`ok minio-js ${name}`) } catch (error) { console.log(`not ok minio-js ${name}: ${String(error).replace(/\s+/g, ' ').slice(0, 300)}`) }
}
