"""Keys for one cluster: an authority made for it, which nobody else has, and a pair signed by it for each process."""

import datetime
import json

from distributed.security import Security

from mutirao.dask.providers.base import require

DAYS = 365


class Authority:
    """Ownership: its own key stays here, in the memory of this process."""

    def __init__(self, name):
        require("cryptography", "dask")
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import NameOID

        self._x509 = x509
        self._new_key = lambda: ec.generate_private_key(ec.SECP256R1())
        self._named = lambda text: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])
        self._name = self._named(name)
        self._key = self._new_key()
        self._certificate = self._sign(self._name, self._key.public_key(), is_authority=True)

    @property
    def certificate(self):
        return _pem(self._certificate)

    def issue(self, role):
        """A certificate and its key, both as PEM."""
        from cryptography.hazmat.primitives import serialization

        key = self._new_key()
        text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return _pem(self._sign(self._named(role), key.public_key(), is_authority=False)), text.decode()

    def security(self, *roles):
        """For processes that take some of the roles "scheduler", "worker" and "client"."""
        fields = {"require_encryption": True, "tls_ca_file": self.certificate}
        for role in roles:
            fields[f"tls_{role}_cert"], fields[f"tls_{role}_key"] = self.issue(role)
        return Security(**fields)

    def line_for(self, certificate, key):
        """What a process elsewhere reads from its standard input; see mutirao.dask.keyed."""
        return json.dumps({"ca": self.certificate, "cert": certificate, "key": key}) + "\n"

    def _sign(self, subject, public_key, is_authority):
        from cryptography.hazmat.primitives import hashes

        x509 = self._x509
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(public_key)
                   .serial_number(x509.random_serial_number())
                   # Clocks of hosts differ.
                   .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=DAYS))
                   .add_extension(x509.BasicConstraints(ca=is_authority, path_length=0 if is_authority else None), critical=True)
                   .add_extension(x509.KeyUsage(
                       digital_signature=not is_authority, key_cert_sign=is_authority, crl_sign=is_authority,
                       content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
                       encipher_only=False, decipher_only=False), critical=True)
                   .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False))
        return builder.sign(self._key, hashes.SHA256())


def _pem(certificate):
    from cryptography.hazmat.primitives import serialization

    return certificate.public_bytes(serialization.Encoding.PEM).decode()
