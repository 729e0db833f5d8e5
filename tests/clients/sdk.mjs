// The AWS SDK for JavaScript, version 3, with its defaults.
import assert from 'node:assert'
import { Readable } from 'node:stream'
import { createHash } from 'node:crypto'
import * as sdk from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'

const { ENDPOINT: endpoint, KEY: accessKeyId, SECRET: secretAccessKey } = process.env
const s3 = new sdk.S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } })
const Bucket = 'aws-sdk-js'
const bytes = size => Buffer.concat(Array.from({ length: Math.ceil(size / 32) }, (_, n) => createHash('sha256').update(`${size} ${n}`).digest())).subarray(0, size)
const read = async (Key, more = {}) => Buffer.from(await (await s3.send(new sdk.GetObjectCommand({ Bucket, Key, ...more }))).Body.transformToByteArray())
const big = bytes((11 << 20) + 3)
const oddKeys = ['a b+c', 'a//b', '../up', '100%', 'ä/ö ü', 'q?x=1&y=2', '#hash', "quote'\"", '<tag>&amp;', '日本語']

const checks = {
  async objects() {
    await s3.send(new sdk.PutObjectCommand({ Bucket, Key: 'small', Body: 'hello', ContentType: 'text/x', Metadata: { colour: 'blue' } }))
    const head = await s3.send(new sdk.HeadObjectCommand({ Bucket, Key: 'small', ChecksumMode: 'ENABLED' }))
    assert.deepEqual([head.ContentLength, head.ContentType, head.Metadata, head.ChecksumCRC32], [5, 'text/x', { colour: 'blue' }, 'NhCmhg=='])
    assert.equal(await read('small', { Range: 'bytes=1-3' }), 'ell')
  },
  async multipart() {
    await new Upload({ client: s3, params: { Bucket, Key: 'big', Body: Readable.from([big]) }, partSize: 5 << 20 }).done()
    assert((await read('big')).equals(big))
    assert((await read('big', { PartNumber: 3 })).equals(big.subarray(10 << 20)))
  },
  async copies() {
    await s3.send(new sdk.CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/small`, MetadataDirective: 'REPLACE', Metadata: { colour: 'red' } }))
    assert.equal((await s3.send(new sdk.HeadObjectCommand({ Bucket, Key: 'copy' }))).Metadata.colour, 'red')
  },
  async conditions() {
    await assert.rejects(s3.send(new sdk.PutObjectCommand({ Bucket, Key: 'small', Body: '', IfNoneMatch: '*' })), { name: 'PreconditionFailed' })
    await assert.rejects(s3.send(new sdk.GetObjectCommand({ Bucket, Key: 'missing' })), { name: 'NoSuchKey' })
  },
  async presigned() {
    const put = await getSignedUrl(s3, new sdk.PutObjectCommand({ Bucket, Key: 'by url' }))
    assert.equal((await fetch(put, { method: 'PUT', body: 'hello' })).status, 200)
    assert.equal(await (await fetch(await getSignedUrl(s3, new sdk.GetObjectCommand({ Bucket, Key: 'by url' })))).text(), 'hello')
  },
  async odd_keys() {
    for (const key of oddKeys) {
      await s3.send(new sdk.PutObjectCommand({ Bucket, Key: `odd/${key}`, Body: key }))
      assert.equal(await read(`odd/${key}`), key)
    }
    const listed = []
    for await (const page of sdk.paginateListObjectsV2({ client: s3, pageSize: 3 }, { Bucket, Prefix: 'odd/' })) listed.push(...page.Contents.map(item => item.Key))
    assert.deepEqual(listed, oddKeys.map(key => `odd/${key}`).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
    const gone = await s3.send(new sdk.DeleteObjectsCommand({ Bucket, Delete: { Objects: listed.map(Key => ({ Key })) } }))
    assert.equal(gone.Deleted.length, oddKeys.length)
  }
}
await s3.send(new sdk.CreateBucketCommand({ Bucket }))
for (const [name, run] of Object.entries(checks)) {
  try { await run(); console.log(`ok aws-sdk-js ${name}`) } catch (error) { console.log(`not ok aws-sdk-js ${name}: ${String(error).replace(/\s+/g, ' ').slice(0, 300)}`) }
}
