// Options of TLS in the kernel, after TCP_ULP 'tls'.
import { SOL_TLS } from '../constants.js';
import { flag, or, uint16 } from '../structs/content.js';
import {
  tls_crypto_info,
  tls12_crypto_info_aes_ccm_128,
  tls12_crypto_info_aes_gcm_128,
  tls12_crypto_info_aes_gcm_256,
  tls12_crypto_info_aria_gcm_128,
  tls12_crypto_info_aria_gcm_256,
  tls12_crypto_info_chacha20_poly1305,
  tls12_crypto_info_sm4_ccm,
  tls12_crypto_info_sm4_gcm,
} from '../structs/tls.js';
import { both, optionsOf } from './option.js';

// Read into four bytes, the kernel tells version and cipher and not the key.
const keys = or(
  tls_crypto_info,
  tls12_crypto_info_aes_gcm_128,
  tls12_crypto_info_aes_gcm_256,
  tls12_crypto_info_aes_ccm_128,
  tls12_crypto_info_chacha20_poly1305,
  tls12_crypto_info_sm4_gcm,
  tls12_crypto_info_sm4_ccm,
  tls12_crypto_info_aria_gcm_128,
  tls12_crypto_info_aria_gcm_256,
);

export const tlsOptions = optionsOf(SOL_TLS, {
  TLS_TX: both(keys),
  TLS_RX: both(keys),
  TLS_TX_ZEROCOPY_RO: both(flag),
  TLS_RX_EXPECT_NO_PAD: both(flag),
  TLS_TX_MAX_PAYLOAD_LEN: both(uint16),
});
