import { allowedSpecialDomains, emailProblem, repairedEmail } from './email';

describe('emailProblem, as python-email-validator judges for PgAdmin', () => {
  it.each(['admin@example.com', 'admin@corp.example.org', "o'neill+db@a.de", 'jürgen@bücher.de', 'x@sub.domain.co'])('accepts %s', (address) => {
    expect(emailProblem(address)).toBeUndefined();
  });
  it.each([
    ['admin@cluster.local', '"local" is a special-use domain'],
    ['admin@pgadmin.LOCAL', '"local" is a special-use domain'],
    ['admin@local', '"local" is a special-use domain'],
    ['admin@localhost', '"localhost" is a special-use domain'],
    ['a@b.test', '"test" is a special-use domain'],
    ['a@b.invalid', '"invalid" is a special-use domain'],
    ['a@1.168.192.in-addr.arpa', '"arpa" is a special-use domain'],
    ['a@b.onion', '"onion" is a special-use domain'],
    ['admin', 'it has no @'],
    ['', 'it has no @'],
    ['admin@intranet', 'the domain has no dot'],
    ['admin@10.0.0.1', 'the domain does not end with a letter'],
    ['a b@example.com', 'the part before the @ is not valid'],
    ['a..b@example.com', 'the part before the @ is not valid'],
    ['@example.com', 'the part before the @ is not valid'],
    ['a@exa mple.com', 'the part after the @ is not a domain name'],
    ['a@-x.com', 'the part after the @ is not a domain name'],
    ['a@x..com', 'the part after the @ is not a domain name'],
  ])('refuses %j: %s', (address, problem) => {
    expect(emailProblem(address)).toBe(problem);
  });
  it('lets a special-use domain through that the configuration allows', () => {
    expect(emailProblem('admin@db.local', allowedSpecialDomains("['local']"))).toBeUndefined();
    expect(emailProblem('admin@db.local', allowedSpecialDomains("['test']"))).toBeDefined();
  });
});

describe('repairedEmail', () => {
  it.each([
    ['admin@cluster.local', 'admin@example.com'],
    ['admin', 'admin@example.com'],
    [undefined, 'pgadmin@example.com'],
    ["a'; rm -rf /@x.local", 'pgadmin@example.com'],
    ['.@x.local', 'pgadmin@example.com'],
  ])('%j becomes %s', (address, repaired) => {
    expect(repairedEmail(address, 'example.com')).toBe(repaired);
    expect(emailProblem(repaired)).toBeUndefined();
  });
});
