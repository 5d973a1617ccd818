/** What is guessed first, in lower case: runs on the keyboard, names, seasons with a year. Shorter ones are refused for their length. */
export const COMMON_PASSWORDS: ReadonlySet<string> = new Set(
  `
  12345678 123456789 1234567890 12345678910 0123456789 11111111 00000000 88888888 87654321 987654321 9876543210 12341234
  11223344 12121212 12344321 123123123 111111111 1111111111 123321123 147258369 1q2w3e4r 1q2w3e4r5t 1qaz2wsx qazwsxedc
  q1w2e3r4 q1w2e3r4t5 qwertyui qwertyuiop qwerty12 qwerty123 qwerty1234 asdfghjk asdfghjkl asdf1234 zxcvbnm1 zaq12wsx
  password password1 password12 password123 password1234 password! passw0rd p@ssw0rd p@ssword passwort passwort1
  mypassword mypassword1 letmein1 letmein123 welcome1 welcome12 welcome123 changeme changeme1 administrator admin123
  admin1234 adminadmin rootroot testtest test1234 guest123 default1 secret12 secret123 abcd1234 abcdefgh abcdefg1 abc12345
  abc123456 a1b2c3d4 a1234567 a12345678 a123456789 aa123456 aaaaaaaa iloveyou iloveyou1 iloveyou2 sunshine sunshine1
  princess princess1 football football1 baseball baseball1 superman superman1 batman123 pokemon1 starwars starwars1
  computer computer1 internet whatever trustno1 michelle jennifer jonathan samantha victoria charlie1 jordan23 dragon12
  monkey12 monkey123 master12 shadow12 freedom1 maverick mercedes corvette liverpool chelsea1 arsenal1 hello123 hello1234
  helloworld google123 facebook samsung1 summer2023 summer2024 summer2025 summer2026 winter2023 winter2024 winter2025
  winter2026 spring2024 spring2025 spring2026 autumn2024 autumn2025 autumn2026
  `
    .trim()
    .split(/\s+/),
);
