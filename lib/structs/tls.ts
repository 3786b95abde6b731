// What TLS_TX and TLS_RX take: the keys of a TLS session whose records the kernel is to write or read. Of TLS 1.3 too,
// despite the names.
import { bytes, nested, struct, uint } from './struct.js';

/** Which TLS it is, the first part of each struct below. Read alone, TLS_TX and TLS_RX give this. */
export class tls_crypto_info extends struct('tls_crypto_info', {
  /** TLS_1_2_VERSION, TLS_1_3_VERSION. */
  version: uint,
  /** TLS_CIPHER_*. */
  cipher_type: uint,
}) {}

const key = {
  /** The version and the cipher. */
  info: nested(tls_crypto_info),
  /** The nonce's part that each record carries or, for TLS 1.3, that follows the salt. */
  iv: bytes,
  /** The key. */
  key: bytes,
  /** The next record's number, 8 bytes in network byte order. */
  rec_seq: bytes,
};
/** With the nonce's fixed part. */
const saltedKey = { ...key, /** The nonce's fixed part, 4 bytes. */ salt: bytes };

/** The key of AES-GCM with a key of 128 bits (TLS_CIPHER_AES_GCM_128): TLS_TX, TLS_RX. */
export class tls12_crypto_info_aes_gcm_128 extends struct('tls12_crypto_info_aes_gcm_128', saltedKey) {}

/** The key of AES-GCM with a key of 256 bits (TLS_CIPHER_AES_GCM_256): TLS_TX, TLS_RX. */
export class tls12_crypto_info_aes_gcm_256 extends struct('tls12_crypto_info_aes_gcm_256', saltedKey) {}

/** The key of AES-CCM with a key of 128 bits (TLS_CIPHER_AES_CCM_128): TLS_TX, TLS_RX. */
export class tls12_crypto_info_aes_ccm_128 extends struct('tls12_crypto_info_aes_ccm_128', saltedKey) {}

/** The key of ChaCha20-Poly1305 (TLS_CIPHER_CHACHA20_POLY1305): TLS_TX, TLS_RX. */
export class tls12_crypto_info_chacha20_poly1305 extends struct('tls12_crypto_info_chacha20_poly1305', key) {}

/** The key of SM4-GCM (TLS_CIPHER_SM4_GCM): TLS_TX, TLS_RX. */
export class tls12_crypto_info_sm4_gcm extends struct('tls12_crypto_info_sm4_gcm', saltedKey) {}

/** The key of SM4-CCM (TLS_CIPHER_SM4_CCM): TLS_TX, TLS_RX. */
export class tls12_crypto_info_sm4_ccm extends struct('tls12_crypto_info_sm4_ccm', saltedKey) {}

/** The key of ARIA-GCM with a key of 128 bits (TLS_CIPHER_ARIA_GCM_128): TLS_TX, TLS_RX. */
export class tls12_crypto_info_aria_gcm_128 extends struct('tls12_crypto_info_aria_gcm_128', saltedKey) {}

/** The key of ARIA-GCM with a key of 256 bits (TLS_CIPHER_ARIA_GCM_256): TLS_TX, TLS_RX. */
export class tls12_crypto_info_aria_gcm_256 extends struct('tls12_crypto_info_aria_gcm_256', saltedKey) {}
