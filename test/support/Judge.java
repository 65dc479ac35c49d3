/** BouncyCastle's word on CMS signatures: one line in (label, signature, content, time; tabs between), one line out (label, verdict, reason). */
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Security;
import java.security.cert.CertStore;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CRL;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Set;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cms.CMSProcessableFile;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.tsp.TimeStampToken;
import org.bouncycastle.util.Store;

public class Judge {
  static final String BC = "BC";

  public static void main(String[] words) throws Exception {
    Security.addProvider(new BouncyCastleProvider());
    var factory = java.security.cert.CertificateFactory.getInstance("X.509", BC);
    X509Certificate root;
    try (var in = Files.newInputStream(Path.of(words[1]))) { root = (X509Certificate) factory.generateCertificate(in); }
    List<Object> lists = new ArrayList<>();
    for (int i = 2; i < words.length; i++) try (var in = Files.newInputStream(Path.of(words[i]))) { lists.add((X509CRL) factory.generateCRL(in)); }
    for (String line : Files.readAllLines(Path.of(words[0]))) {
      String[] parts = line.split("\t");
      String verdict;
      try {
        judge(Files.readAllBytes(Path.of(parts[1])), new File(parts[2]), new Date(Long.parseLong(parts[3])), root, lists);
        verdict = "good\t";
      } catch (Throwable error) {
        verdict = "bad\t" + (error.getClass().getSimpleName() + " " + error.getMessage()).replaceAll("\\s+", " ");
      }
      System.out.println(parts[0] + "\t" + verdict);
    }
  }

  /** Signature, digest, time-stamp, and the path at the time of the time-stamp with the lists; throws for what is not good. */
  static void judge(byte[] signature, File content, Date now, X509Certificate root, List<Object> lists) throws Exception {
    CMSSignedData carried = new CMSSignedData(signature);
    CMSSignedData data = carried.getSignedContent() == null ? new CMSSignedData(new CMSProcessableFile(content), signature) : carried;
    if (data.getSignerInfos().size() == 0) throw new Exception("nobody signed");
    for (SignerInformation signer : data.getSignerInfos()) {
      X509CertificateHolder holder = certificateOf(data.getCertificates(), signer);
      if (!signer.verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider(BC).build(holder))) throw new Exception("not signed by this key");
      if (signer.getSignedAttributes().get(PKCSObjectIdentifiers.id_aa_signingCertificateV2) == null && signer.getSignedAttributes().get(PKCSObjectIdentifiers.id_aa_signingCertificate) == null) throw new Exception("no signing certificate attribute");
      Date at = stampOf(signer, now, root, lists);
      path(holder, data.getCertificates(), root, lists, at);
    }
  }

  static Date stampOf(SignerInformation signer, Date now, X509Certificate root, List<Object> lists) throws Exception {
    Attribute attribute = signer.getUnsignedAttributes() == null ? null : signer.getUnsignedAttributes().get(PKCSObjectIdentifiers.id_aa_signatureTimeStampToken);
    if (attribute == null) return now;
    TimeStampToken token = new TimeStampToken(new CMSSignedData(attribute.getAttrValues().getObjectAt(0).toASN1Primitive().getEncoded()));
    X509CertificateHolder holder = certificateOf(token.getCertificates(), token.toCMSSignedData().getSignerInfos().iterator().next());
    token.validate(new JcaSimpleSignerInfoVerifierBuilder().setProvider(BC).build(holder));
    var digest = java.security.MessageDigest.getInstance(token.getTimeStampInfo().getMessageImprintAlgOID().getId(), BC);
    if (!java.security.MessageDigest.isEqual(digest.digest(signer.getSignature()), token.getTimeStampInfo().getMessageImprintDigest())) throw new Exception("time-stamp of something else");
    Date at = token.getTimeStampInfo().getGenTime();
    path(holder, token.getCertificates(), root, lists, at);
    return at;
  }

  @SuppressWarnings("unchecked")
  static X509CertificateHolder certificateOf(Store<X509CertificateHolder> store, SignerInformation signer) throws Exception {
    var found = store.getMatches(signer.getSID());
    if (found.isEmpty()) throw new Exception("certificate missing");
    return (X509CertificateHolder) found.iterator().next();
  }

  static void path(X509CertificateHolder leaf, Store<X509CertificateHolder> store, X509Certificate root, List<Object> lists, Date at) throws Exception {
    var converter = new JcaX509CertificateConverter().setProvider(BC);
    List<Object> all = new ArrayList<>(lists);
    for (X509CertificateHolder each : store.getMatches(null)) all.add(converter.getCertificate(each));
    X509CertSelector target = new X509CertSelector();
    target.setCertificate(converter.getCertificate(leaf));
    PKIXBuilderParameters parameters = new PKIXBuilderParameters(Set.of(new TrustAnchor(root, null)), target);
    parameters.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(all), BC));
    parameters.setDate(at);
    parameters.setRevocationEnabled(!lists.isEmpty());
    java.security.cert.CertPathBuilder.getInstance("PKIX", BC).build(parameters);
  }
}
