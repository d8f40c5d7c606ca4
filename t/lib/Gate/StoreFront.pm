package Gate::StoreFront;

# An nginx before a store in Redis, which lets tokens and keys in, and what it says to them.

use strict;
use warnings;

use Exporter 'import';

use Gate::HTTP qw(http_get);
use Gate::Token qw(mint);

our @EXPORT = qw(front_config with_token with_key token);

# The text of the http block; `redis` is what stands in the gate_redis block. Options: keys (where the keys are),
# followed (how revocations are known).
sub front_config {
    my ($redis, %opt) = @_;
    my $keys = $opt{keys} // 'redis main;';
    my $followed = $opt{followed} // 'gate_revocation redis=main;';
    return <<"END";
    gate_redis main { $redis timeout 300ms; }
    gate_keys partners { $keys prefix acme_; }
    gate_issuer corp { issuer https://idp.example.com; jwks_file %%DIR%%/keys.jwks; audience orders; }
    $followed
    server {
        listen 127.0.0.1:%%PORT%%;
        gate jwt=corp key=partners;
        location / { add_header X-Reason \$gate_reason always; empty_gif; }
    }
END
}

# "status reason"
sub _ask {
    my (@headers) = @_;
    my $answer = http_get('/x', headers => [@headers]);
    return $answer->status . ' ' . ($answer->header('X-Reason') // '');
}

sub with_token { return _ask(Authorization => "Bearer $_[0]"); }
sub with_key { return _ask('X-API-Key' => $_[0]); }
sub token { return mint(claims => { jti => $_[0] }); }

1;
